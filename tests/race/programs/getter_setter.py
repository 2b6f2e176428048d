# Read and written in different calls: no dataflow within one function ties them together.
# expect: data-race Thermostat.level
import threading


class Thermostat:
    def __init__(self):
        self.level = 20

    def get(self):
        return self.level

    def set(self, level):
        self.level = level


def warm_up(thermostat):
    for _ in range(20):
        thermostat.set(thermostat.get() + 1)


thermostat = Thermostat()
threads = [threading.Thread(target=warm_up, args=(thermostat,)) for _ in range(2)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(thermostat.get())
