# expect: lost-update module requests
import threading

from support import state


def handle():
    for _ in range(50):
        state.requests += 1


threads = [threading.Thread(target=handle) for _ in range(2)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(state.requests)
