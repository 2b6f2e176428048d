# expect-one-of: lost-update handler.calls | lost-update function.calls
import threading


def handler():
    handler.calls += 1


handler.calls = 0


def call_often():
    for _ in range(50):
        handler()


threads = [threading.Thread(target=call_often) for _ in range(2)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(handler.calls)
