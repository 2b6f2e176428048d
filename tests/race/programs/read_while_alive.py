# That a thread is alive says nothing about what it has done.
# expect: data-race Scan.files
# racy-twin-of: edge_thread_is_done
import threading


class Scan:
    def __init__(self):
        self.files = 0
        self.may_end = threading.Event()

    def run(self):
        self.files = 10
        self.may_end.wait()


scan = Scan()
thread = threading.Thread(target=scan.run)
thread.start()
if thread.is_alive():
    abs(scan.files)
scan.may_end.set()
thread.join()
print(scan.files)
