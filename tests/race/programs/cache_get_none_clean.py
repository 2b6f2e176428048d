# Each thread looks after other users.
import threading

sessions = {}


def session_of(user):
    session = sessions.get(user)
    if session is None:
        session = [user]
        sessions[user] = session
    return session


threads = [threading.Thread(target=session_of, args=(user,)) for user in ("alice", "bob")]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(sorted(sessions))
