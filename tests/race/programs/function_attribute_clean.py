import threading


def handler():
    with handler.lock:
        handler.calls += 1


handler.calls = 0
handler.lock = threading.Lock()


def call_often():
    for _ in range(50):
        handler()


threads = [threading.Thread(target=call_often) for _ in range(2)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(handler.calls)
