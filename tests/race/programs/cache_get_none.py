# expect: check-then-act sessions['alice']
import threading

sessions = {}


def session_of(user):
    session = sessions.get(user)
    if session is None:
        session = [user]
        sessions[user] = session
    return session


threads = [threading.Thread(target=session_of, args=("alice",)) for _ in range(2)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(sessions)
