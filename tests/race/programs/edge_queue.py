# What is put says only that the other thing is ready.
# edge: queue
import queue
import threading


class Report:
    pages = 0


def write(report, finished):
    report.pages = 12
    finished.put("report")


def read(report, finished):
    finished.get()
    report.pages += 1


report = Report()
finished = queue.Queue()
threads = [threading.Thread(target=work, args=(report, finished)) for work in (read, write)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(report.pages)
