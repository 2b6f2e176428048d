# A join that gave up orders nothing.
# expect: data-race Upload.sent
# racy-twin-of: edge_thread_join
import threading


class Upload:
    def __init__(self):
        self.sent = 0
        self.may_end = threading.Event()

    def run(self):
        self.sent = 100
        self.may_end.wait()


upload = Upload()
thread = threading.Thread(target=upload.run)
thread.start()
thread.join(timeout=0.001)
abs(upload.sent)
upload.may_end.set()
thread.join()
print(upload.sent)
