# The threads run in a child process, which ends by os._exit.
# expect: lost-update Child.work
import os
import threading


class Child:
    def __init__(self):
        self.work = 0

    def run(self):
        for _ in range(20):
            self.work += 1


def run_threads():
    child = Child()
    threads = [threading.Thread(target=child.run) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


pid = os.fork()
if pid == 0:
    run_threads()
    os._exit(0)
_, status = os.waitpid(pid, 0)
print(os.waitstatus_to_exitcode(status))
