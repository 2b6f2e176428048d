# Finalisers run in whichever thread drops the last reference; one object comes back to life once.
import queue
import threading


class Handle:
    def __init__(self, number):
        self.number = number
        self.log = [number]

    def __del__(self):
        self.log.append("closed")
        self.number = None


class Phoenix:
    reborn = threading.local()

    def __init__(self):
        self.lives = 1

    def __del__(self):
        self.lives += 1
        Phoenix.reborn.last = self


def drop(handles):
    while (handle := handles.get()) is not None:
        handle.log.append("got")
        del handle
        Phoenix()
        Phoenix.reborn.last.lives += 1


handles = queue.SimpleQueue()
threads = [threading.Thread(target=drop, args=(handles,)) for _ in range(2)]
for thread in threads:
    thread.start()
for number in range(40):
    handles.put(Handle(number))
for _ in threads:
    handles.put(None)
for thread in threads:
    thread.join()
print("done")
