# An extension module takes its mutex for the time of a fork, while another thread uses it.
import os
import threading

from support import extension


def work():
    while not done.is_set():
        guard.lock_often()


guard = extension.load("guard")
guard.guard_forks()
done = threading.Event()
thread = threading.Thread(target=work)
thread.start()
statuses = set()
for _ in range(100):
    pid = os.fork()
    if pid == 0:
        os._exit(0)
    statuses.add(os.waitpid(pid, 0)[1])
done.set()
thread.join()
print(statuses)
