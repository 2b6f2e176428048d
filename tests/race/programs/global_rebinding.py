# expect: data-race module config
import threading

config = {"level": 0}


def reload():
    global config
    for level in range(20):
        config = {"level": level}


def use():
    for _ in range(20):
        abs(config["level"])


threads = [threading.Thread(target=reload), threading.Thread(target=use)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(config["level"])
