# Assigning to keys that are there already changes no structure.
import threading

members = dict.fromkeys(range(10))


def join():
    for number in range(10):
        members[number] = "member %d" % number


def headcount():
    for _ in range(10):
        abs(len(members))


threads = [threading.Thread(target=join), threading.Thread(target=headcount)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(len(members))
