# expect: data-race Downloader.cancelled
import threading


class Downloader:
    def __init__(self):
        self.cancelled = False
        self.chunks = 0

    def run(self):
        while not self.cancelled:
            self.chunks += 1

    def cancel(self):
        self.cancelled = True


downloader = Downloader()
threads = [threading.Thread(target=downloader.run), threading.Thread(target=downloader.cancel)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(downloader.cancelled)
