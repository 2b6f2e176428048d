# The first thread has ended when the second one starts, but nobody has asked whether it had.
# expect: lost-update Visits.count
import os
import threading


class Visits:
    def __init__(self):
        self.count = 0

    def visit(self):
        self.count += 1


def threads_of_this_process():
    return len(os.listdir("/proc/self/task"))


visits = Visits()
first = threading.Thread(target=visits.visit)
first.start()
while threads_of_this_process() > 1:
    pass
second = threading.Thread(target=visits.visit)
second.start()
first.join()
second.join()
print(visits.count)
