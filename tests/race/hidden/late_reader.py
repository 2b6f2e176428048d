# Race: `module settings`, data-race: the reader takes the lock before it reads, not while.
# Hidden as long as the loader is done first: what it did is before its use of the lock.
import threading

lock = threading.Lock()
settings = None
log = []


def load():
    global settings
    settings = {"verbose": True}
    with lock:
        log.append("loaded")


def use():
    with lock:
        log.append("starting")
    log.append(settings)


threads = [threading.Thread(target=load), threading.Thread(target=use)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
