import threading


class Visits:
    def __init__(self):
        self.count = 0

    def visit(self):
        self.count += 1


visits = Visits()
first = threading.Thread(target=visits.visit)
first.start()
first.join()
second = threading.Thread(target=visits.visit)
second.start()
second.join()
print(visits.count)
