import threading


class Source:
    def __init__(self):
        self.lock = threading.Lock()
        self.produced = 0

    def numbers(self, count):
        for number in range(count):
            with self.lock:
                self.produced += 1
            yield number


def consume(source):
    sum(source.numbers(20))


source = Source()
threads = [threading.Thread(target=consume, args=(source,)) for _ in range(2)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(source.produced)
