# The update is made in a generator's frame, between two yields.
# expect: lost-update Source.produced
import threading


class Source:
    def __init__(self):
        self.produced = 0

    def numbers(self, count):
        for number in range(count):
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
print(source.produced > 0)
