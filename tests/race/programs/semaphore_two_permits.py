# A semaphore with two permits excludes nobody when there are two.
# expect: lost-update Gate.passed
# racy-twin-of: edge_semaphore edge_bounded_semaphore
import threading


class Gate:
    def __init__(self):
        self.permits = threading.Semaphore(2)
        self.inside = threading.Barrier(2)
        self.passed = 0

    def enter(self):
        with self.permits:
            self.inside.wait()
            self.passed += 1


gate = Gate()
threads = [threading.Thread(target=gate.enter) for _ in range(2)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(gate.passed > 0)
