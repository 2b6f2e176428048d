import array
import threading

samples = array.array("d", [0.0] * 64)
samples_lock = threading.Lock()


def measure(value):
    with samples_lock:
        samples.append(value)


threads = [threading.Thread(target=measure, args=(value,)) for value in (1.5, 2.5)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(len(samples))
