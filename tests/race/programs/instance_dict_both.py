# expect: lost-update Settings.changes
import threading


class Settings:
    def __init__(self, **values):
        self.__dict__.update(values)


def change(settings):
    for _ in range(50):
        settings.__dict__["changes"] = settings.__dict__["changes"] + 1


settings = Settings(changes=0, level=3)
threads = [threading.Thread(target=change, args=(settings,)) for _ in range(2)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(settings.changes)
