# expect-one-of: data-race limits | data-race limits['cpu']
import threading


def merge(limits):
    for cpu in range(10):
        limits |= {"cpu": cpu}


def enforce(limits):
    for _ in range(10):
        abs(limits["cpu"])


shared_limits = {"cpu": 0, "memory": 512}
threads = [threading.Thread(target=work, args=(shared_limits,)) for work in (merge, enforce)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(shared_limits["memory"])
