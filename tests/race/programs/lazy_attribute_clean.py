import threading


class Connection:
    pass


class Pool:
    def __init__(self):
        self._lock = threading.Lock()
        self._connection = None

    def connection(self):
        with self._lock:
            if self._connection is None:
                self._connection = Connection()
            return self._connection


pool = Pool()
threads = [threading.Thread(target=pool.connection) for _ in range(2)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(type(pool.connection()).__name__)
