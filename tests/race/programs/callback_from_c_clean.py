import threading


class Recorder:
    def __init__(self):
        self.lock = threading.Lock()
        self.calls = 0

    def record(self, value):
        with self.lock:
            self.calls += 1
        return value


def work(recorder):
    list(map(recorder.record, range(20)))
    sorted(range(5), key=recorder.record)


recorder = Recorder()
threads = [threading.Thread(target=work, args=(recorder,)) for _ in range(2)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(recorder.calls)
