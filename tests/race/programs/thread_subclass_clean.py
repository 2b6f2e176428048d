# Each thread counts in an attribute of its own.
import threading


class Voter(threading.Thread):
    def __init__(self, name):
        super().__init__(name=name)
        self.votes = 0

    def run(self):
        for _ in range(20):
            self.votes += 1


voters = [Voter("voter %d" % number) for number in range(2)]
for voter in voters:
    voter.start()
for voter in voters:
    voter.join()
print(sum(voter.votes for voter in voters))
