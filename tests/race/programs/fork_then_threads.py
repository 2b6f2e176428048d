# What the threads did before the fork is in the past; the child's own threads are not ordered by it.
# expect: lost-update Job.tries
# racy-twin-of: edge_fork
import os
import threading


class Job:
    def __init__(self):
        self.tries = 0


def work():
    job.tries += 1


def run_both():
    threads = [threading.Thread(target=work) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


job = Job()
thread = threading.Thread(target=work)
thread.start()
thread.join()
pid = os.fork()
if pid == 0:
    run_both()
    os._exit(0)
print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
