import threading

table = {}
there = threading.Event()


def fill():
    table.clear()
    table["limit"] = 10
    for job in range(3000):
        table[job] = job
        del table[job]
    there.set()


def use():
    there.wait()
    table["limit"]


threads = [threading.Thread(target=target) for target in (use, fill)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(len(table))
