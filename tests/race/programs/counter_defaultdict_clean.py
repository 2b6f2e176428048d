# Each thread has a key of its own.
import collections
import threading

votes = collections.defaultdict(int)


def count_votes(answer):
    for _ in range(50):
        votes[answer] += 1


threads = [threading.Thread(target=count_votes, args=(answer,)) for answer in ("yes", "no")]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(dict(votes))
