import threading


class Downloader:
    def __init__(self):
        self.cancelled = threading.Event()
        self.chunks = 0

    def run(self):
        while not self.cancelled.is_set():
            self.chunks += 1

    def cancel(self):
        self.cancelled.set()


downloader = Downloader()
threads = [threading.Thread(target=downloader.run), threading.Thread(target=downloader.cancel)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(downloader.cancelled.is_set())
