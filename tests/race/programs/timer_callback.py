# expect: data-race Watchdog.fired
import threading


class Watchdog:
    def __init__(self):
        self.fired = False

    def bark(self):
        self.fired = True


watchdog = Watchdog()
timer = threading.Timer(0, watchdog.bark)
timer.start()
while not watchdog.fired:
    pass
timer.join()
print(watchdog.fired)
