# The lock is taken for the action only: what was tested may have changed by then.
# expect: check-then-act Registry.instance
import threading


class Registry:
    instance = None
    lock = threading.Lock()

    def __init__(self):
        self.entries = []

    @staticmethod
    def get():
        both_are_here.wait()
        if Registry.instance is None:
            with Registry.lock:
                Registry.instance = Registry()
        return Registry.instance


both_are_here = threading.Barrier(2)
threads = [threading.Thread(target=Registry.get) for _ in range(2)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(Registry.instance.entries)
