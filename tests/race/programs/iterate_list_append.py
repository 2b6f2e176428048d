# expect: iteration listeners
import threading

listeners = [print] * 5


def notify():
    called = 0
    for listener in listeners:
        called += listener is not None


def subscribe():
    for _ in range(10):
        listeners.append(max)


threads = [threading.Thread(target=notify), threading.Thread(target=subscribe)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(len(listeners))
