import threading


class Session:
    opened = 0
    _lock = threading.Lock()

    def __init__(self):
        self.count()

    @classmethod
    def count(cls):
        with cls._lock:
            cls.opened += 1


def open_sessions():
    for _ in range(30):
        Session()


threads = [threading.Thread(target=open_sessions) for _ in range(2)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(Session.opened)
