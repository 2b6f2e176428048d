# The first test, outside of the lock, is what races; what it finds is tested again under the lock.
# expect: data-race Registry.instance
import threading


class Registry:
    instance = None
    lock = threading.Lock()

    def __init__(self):
        self.entries = []

    @staticmethod
    def get():
        if Registry.instance is None:
            with Registry.lock:
                if Registry.instance is None:
                    Registry.instance = Registry()
        return Registry.instance


threads = [threading.Thread(target=Registry.get) for _ in range(2)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(Registry.get().entries)
