from collections import deque
import threading

tasks = deque(range(40))
tasks_lock = threading.Lock()


def work():
    while True:
        with tasks_lock:
            if not tasks:
                break
            tasks.popleft()


threads = [threading.Thread(target=work) for _ in range(2)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(len(tasks))
