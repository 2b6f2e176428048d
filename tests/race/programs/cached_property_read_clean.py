import functools
import threading


class Report:
    @functools.cached_property
    def total(self):
        return 36


def compute():
    abs(report.total)
    is_computed.set()


def show():
    is_computed.wait()
    abs(report.total)


report = Report()
is_computed = threading.Event()
threads = [threading.Thread(target=f) for f in (show, compute)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(report.total)
