import threading

history = ["start", "login"]
turn = threading.Condition(threading.Lock())


def record():
    for number in range(10):
        with turn:
            history.insert(0, "page %d" % number)


def latest():
    for _ in range(10):
        with turn:
            history[0].upper()


threads = [threading.Thread(target=record), threading.Thread(target=latest)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(len(history))
