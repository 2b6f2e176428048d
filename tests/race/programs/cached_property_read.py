# What the one has computed, the other one finds in the instance.
# expect: data-race Report.total
import functools
import os
import shutil
import tempfile
import threading


class Report:
    @functools.cached_property
    def total(self):
        return 36


def compute():
    abs(report.total)
    os.mkdir(flag)


def show():
    while not os.path.isdir(flag):
        pass
    abs(report.total)


report = Report()
directory = tempfile.mkdtemp()
flag = os.path.join(directory, "there")  # looking at a directory orders nothing
threads = [threading.Thread(target=f) for f in (show, compute)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
shutil.rmtree(directory)
print(report.total)
