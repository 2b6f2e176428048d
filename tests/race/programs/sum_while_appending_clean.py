import threading

samples = [1.0, 2.0, 3.0]
samples_lock = threading.RLock()


def average():
    for _ in range(10):
        with samples_lock:
            sum(samples)


def measure():
    for number in range(10):
        with samples_lock:
            samples.append(float(number))


threads = [threading.Thread(target=average), threading.Thread(target=measure)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(len(samples))
