# expect-one-of: data-race settings | data-race settings['level']
import threading

settings = {"level": 1, "colour": "red"}


def reload():
    for level in range(10):
        settings.update({"level": level, "colour": "blue"})


def use():
    for _ in range(10):
        abs(settings["level"])


threads = [threading.Thread(target=reload), threading.Thread(target=use)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(settings["colour"])
