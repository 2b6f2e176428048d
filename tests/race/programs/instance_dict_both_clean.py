# The threads change different attributes.
import threading


class Settings:
    def __init__(self, **values):
        self.__dict__.update(values)


def change(settings, name):
    for _ in range(50):
        settings.__dict__[name] = settings.__dict__[name] + 1


settings = Settings(changes=0, level=3)
threads = [threading.Thread(target=change, args=(settings, name)) for name in ("changes", "level")]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(settings.changes)
