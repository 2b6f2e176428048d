import threading


class Gate:
    def __init__(self):
        self.permits = threading.Semaphore(2)
        self.inside = threading.Barrier(2)
        self.counting = threading.Lock()
        self.passed = 0

    def enter(self):
        with self.permits:
            self.inside.wait()
            with self.counting:
                self.passed += 1


gate = Gate()
threads = [threading.Thread(target=gate.enter) for _ in range(2)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(gate.passed)
