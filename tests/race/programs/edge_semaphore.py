# edge: semaphore
import threading


class Loaf:
    weight = 0


def bake(loaf, baked):
    loaf.weight = 750
    baked.release()


def eat(loaf, baked):
    baked.acquire()
    loaf.weight -= 50


loaf = Loaf()
baked = threading.Semaphore(0)
threads = [threading.Thread(target=work, args=(loaf, baked)) for work in (eat, bake)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(loaf.weight)
