# expect: lost-update Tally.value
import threading


class Tally:
    value = 0

    def __init__(self):
        self.value = 0


class Voter(threading.Thread):
    def __init__(self, tally, name):
        super().__init__(name=name)
        self.tally = tally

    def run(self):
        for _ in range(20):
            self.tally.value += 1


tally = Tally()
voters = [Voter(tally, "voter %d" % number) for number in range(2)]
for voter in voters:
    voter.start()
for voter in voters:
    voter.join()
print(tally.value > 0)
