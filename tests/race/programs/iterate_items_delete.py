# expect: iteration sessions
import threading

sessions = {"user %d" % number: number for number in range(30)}


def report():
    total = 0
    try:
        for user, age in sessions.items():
            total += age
    except RuntimeError:  # dictionary changed size during iteration
        pass


def expire():
    for number in range(0, 30, 2):
        del sessions["user %d" % number]


threads = [threading.Thread(target=report), threading.Thread(target=expire)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(len(sessions))
