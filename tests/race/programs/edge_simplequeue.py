# edge: simplequeue
import queue
import threading


class Report:
    pages = 0


def write(report, finished):
    report.pages = 12
    finished.put(report)


def read(finished):
    report = finished.get()
    report.pages += 1


report = Report()
finished = queue.SimpleQueue()
threads = [
    threading.Thread(target=read, args=(finished,)),
    threading.Thread(target=write, args=(report, finished)),
]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(report.pages)
