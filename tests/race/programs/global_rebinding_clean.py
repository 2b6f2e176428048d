# Rebound before the threads start, and after they have ended.
import threading

config = {"level": 0}


def reload():
    global config
    config = {"level": config["level"] + 1}


def use():
    for _ in range(20):
        abs(config["level"])


for _ in range(2):
    reload()
    threads = [threading.Thread(target=use) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
reload()
print(config["level"])
