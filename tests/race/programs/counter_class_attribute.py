# expect: lost-update Session.opened
import threading


class Session:
    opened = 0

    def __init__(self):
        Session.opened += 1


def open_sessions():
    for _ in range(30):
        Session()


threads = [threading.Thread(target=open_sessions) for _ in range(2)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(Session.opened)
