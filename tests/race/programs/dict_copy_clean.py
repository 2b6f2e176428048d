import threading

scores = {"alice": 0, "bob": 0}
save_now = threading.Event()


def save():
    save_now.wait()
    dict(scores)


def play():
    for points in range(10):
        scores["bob"] = points
    save_now.set()


threads = [threading.Thread(target=save), threading.Thread(target=play)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(len(scores))
