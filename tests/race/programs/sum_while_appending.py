# The iteration is in C.
# expect-one-of: iteration samples | data-race samples
import threading

samples = [1.0, 2.0, 3.0]


def average():
    for _ in range(10):
        sum(samples)


def measure():
    for number in range(10):
        samples.append(float(number))


threads = [threading.Thread(target=average), threading.Thread(target=measure)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(len(samples))
