# Nobody waits for daemons before what was registered is called.
# expect: lost-update Journal.lines
# racy-twin-of: edge_atexit
import atexit
import os
import shutil
import tempfile
import threading


class Journal:
    def __init__(self):
        self.lines = 0
        self.end = threading.Event()

    def write(self):
        self.lines += 1
        os.mkdir(flag)
        self.end.wait()

    def close(self):
        self.lines += 1


journal = Journal()
directory = tempfile.mkdtemp()
flag = os.path.join(directory, "there")  # looking at a directory orders nothing
atexit.register(journal.close)
threading.Thread(target=journal.write, daemon=True).start()
while not os.path.isdir(flag):
    pass
shutil.rmtree(directory)
print("done")
