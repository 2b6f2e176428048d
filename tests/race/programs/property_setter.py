# expect: data-race Lamp._brightness
import threading


class Lamp:
    def __init__(self):
        self._brightness = 0

    @property
    def brightness(self):
        return self._brightness

    @brightness.setter
    def brightness(self, value):
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
