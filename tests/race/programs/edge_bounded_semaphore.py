# edge: semaphore
import threading


class Printer:
    def __init__(self):
        self.permit = threading.BoundedSemaphore()
        self.pages = 0

    def print(self):
        for _ in range(10):
            with self.permit:
                self.pages += 1


printer = Printer()
threads = [threading.Thread(target=printer.print) for _ in range(2)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(printer.pages)
