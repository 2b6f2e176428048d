# expect: check-then-act tasks
import threading

tasks = list(range(40))


def work():
    while tasks:
        try:
            tasks.pop()
        except IndexError:  # the other one took the last
            break


threads = [threading.Thread(target=work) for _ in range(2)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(tasks)
