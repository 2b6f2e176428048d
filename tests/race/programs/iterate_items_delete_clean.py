# The report goes over a copy that was made under the lock.
import threading

sessions = {"user %d" % number: number for number in range(30)}
sessions_lock = threading.Lock()


def report():
    with sessions_lock:
        snapshot = dict(sessions)
    total = 0
    for user, age in snapshot.items():
        total += age


def expire():
    for number in range(0, 30, 2):
        with sessions_lock:
            del sessions["user %d" % number]


threads = [threading.Thread(target=report), threading.Thread(target=expire)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(len(sessions))
