# expect: data-race tokens['alice']
import threading

tokens = {"alice": "a1", "bob": "b1"}


def log_out():
    del tokens["alice"]


def authorise():
    for _ in range(10):
        tokens.get("alice")


threads = [threading.Thread(target=log_out), threading.Thread(target=authorise)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(len(tokens))
