# expect: lost-update votes['yes']
import collections
import threading

votes = collections.defaultdict(int)
votes["yes"] = 0


def count_votes():
    for _ in range(50):
        votes["yes"] += 1


threads = [threading.Thread(target=count_votes) for _ in range(2)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(dict(votes))
