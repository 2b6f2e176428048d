import threading


class Thermostat:
    def __init__(self):
        self.lock = threading.RLock()
        self.level = 20

    def get(self):
        with self.lock:
            return self.level

    def set(self, level):
        with self.lock:
            self.level = level


def warm_up(thermostat):
    for _ in range(20):
        with thermostat.lock:
            thermostat.set(thermostat.get() + 1)


thermostat = Thermostat()
threads = [threading.Thread(target=warm_up, args=(thermostat,)) for _ in range(2)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(thermostat.get())
