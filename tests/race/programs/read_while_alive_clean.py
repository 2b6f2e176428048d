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
scan.may_end.set()
while thread.is_alive():
    pass
print(scan.files)
thread.join()
