# expect-one-of: data-race history | data-race history[0]
import threading

history = ["start", "login"]


def record():
    for number in range(10):
        history.insert(0, "page %d" % number)


def latest():
    for _ in range(10):
        history[0].upper()


threads = [threading.Thread(target=record), threading.Thread(target=latest)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(len(history))
