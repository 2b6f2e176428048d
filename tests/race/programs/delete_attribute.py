# expect: data-race Session.token
import threading


class Session:
    def __init__(self):
        self.token = "secret"


def log_out(session):
    del session.token


def authorise(session):
    for _ in range(20):
        getattr(session, "token", None)


session = Session()
threads = [threading.Thread(target=work, args=(session,)) for work in (log_out, authorise)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(hasattr(session, "token"))
