# Forks while threads run, atexit functions, and a daemon that is there to the end.
import atexit
import os
import threading
import warnings

log = []
may_end = threading.Event()


def wait():
    own = [1, 2]
    may_end.wait()
    own.append(3)


threads = [threading.Thread(target=wait) for _ in range(2)]
for thread in threads:
    thread.start()
threading.Thread(target=threading.Event().wait, daemon=True).start()
atexit.register(log.append, "bye")
warnings.simplefilter("ignore", DeprecationWarning)  # the fork is what is tested
pid = os.fork()
if pid == 0:
    log.append("child")
    thread = threading.Thread(target=log.append, args=("thread of the child",))
    thread.start()
    thread.join()
    os._exit(len(log))
_, status = os.waitpid(pid, 0)
log.append(os.waitstatus_to_exitcode(status))
may_end.set()
for thread in threads:
    thread.join()
print(log)
