import threading


class Lamp:
    def __init__(self):
        self._lock = threading.Lock()
        self._brightness = 0

    @property
    def brightness(self):
        with self._lock:
            return self._brightness

    @brightness.setter
    def brightness(self, value):
        with self._lock:
            self._brightness = max(0, value)


def dim(lamp):
    for value in range(20):
        lamp.brightness = value


def watch(lamp):
    for _ in range(20):
        abs(lamp.brightness)


lamp = Lamp()
threads = [threading.Thread(target=work, args=(lamp,)) for work in (dim, watch)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(lamp.brightness)
