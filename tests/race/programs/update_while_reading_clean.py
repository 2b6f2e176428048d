# A new dict for each state, handed over under the lock.
import threading


class Configuration:
    def __init__(self):
        self.lock = threading.Lock()
        self.settings = {"level": 1, "colour": "red"}

    def reload(self):
        for level in range(10):
            settings = dict(self.settings)
            settings.update({"level": level, "colour": "blue"})
            with self.lock:
                self.settings = settings

    def use(self):
        for _ in range(10):
            with self.lock:
                settings = self.settings
            abs(settings["level"])


configuration = Configuration()
threads = [
    threading.Thread(target=configuration.reload),
    threading.Thread(target=configuration.use),
]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(configuration.settings["colour"])
