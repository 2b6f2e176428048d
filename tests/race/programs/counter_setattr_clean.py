# A semaphore with one permit serves as the lock.
import threading


class Meter:
    ticks = 0


def tick(meter, name):
    for _ in range(50):
        with permit:
            setattr(meter, name, getattr(meter, name, 0) + 1)


permit = threading.BoundedSemaphore(1)
meter = Meter()
meter.ticks = 0
threads = [threading.Thread(target=tick, args=(meter, "ticks")) for _ in range(2)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(meter.ticks)
