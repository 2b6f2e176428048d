# expect-one-of: data-race Report.pages | lost-update Report.pages
# racy-twin-of: edge_simplequeue
import queue
import threading


class Report:
    pages = 0


def write(report, finished):
    finished.put(report)
    report.pages = 12


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
print(report.pages > 0)
