# Priorities, last in first out, task_done and join, time-outs, and SimpleQueue both ways.
import queue
import threading

tasks = queue.PriorityQueue()
spare = queue.LifoQueue()
answers = queue.SimpleQueue()


def work():
    while True:
        try:
            priority, task = tasks.get(timeout=0.05)
        except queue.Empty:
            continue
        try:
            if task is None:
                break
            task["priority"] = priority
            answers.put(task)
            try:
                spare.put(spare.get_nowait() + [priority])
            except queue.Empty:
                spare.put([priority])
        finally:
            tasks.task_done()


threads = [threading.Thread(target=work) for _ in range(3)]
for thread in threads:
    thread.start()
for number in range(30):
    tasks.put((number, {"number": number}))
tasks.join()
total = sum(answers.get()["priority"] for _ in range(30))
for number in range(3):
    tasks.put((100 + number, None))
for thread in threads:
    thread.join()
print(total)
