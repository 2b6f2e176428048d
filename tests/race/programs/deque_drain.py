# expect: check-then-act tasks
from collections import deque
import threading

tasks = deque(range(40))


def work():
    while tasks:
        try:
            tasks.popleft()
        except IndexError:  # the other one took the last
            break


threads = [threading.Thread(target=work) for _ in range(2)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(len(tasks))
