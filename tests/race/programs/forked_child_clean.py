# Parent and child have memory of their own, and so have their threads.
import os
import threading


class Worker:
    def __init__(self):
        self.work = 0

    def run(self):
        for _ in range(20):
            self.work += 1


worker = Worker()
earlier = threading.Thread(target=worker.run)
earlier.start()
earlier.join()
pid = os.fork()
thread = threading.Thread(target=worker.run)
thread.start()
thread.join()
if pid == 0:
    os._exit(0)
_, status = os.waitpid(pid, 0)
print(os.waitstatus_to_exitcode(status))
