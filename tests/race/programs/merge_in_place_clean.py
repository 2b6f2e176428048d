# Each thread has a dict of its own.
import threading


def merge(limits):
    for cpu in range(10):
        limits |= {"cpu": cpu}
        abs(limits["cpu"])


threads = [
    threading.Thread(target=merge, args=({"cpu": 0, "memory": memory},)) for memory in (256, 512)
]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print("done")
