# Race: `Report.lines`, lost-update: two tasks of a pool change it.
# Hidden as long as the first is done before the second is submitted: one worker runs both.
from concurrent.futures import ThreadPoolExecutor


class Report:
    def __init__(self):
        self.lines = 0

    def add(self, count):
        self.lines += count


report = Report()
with ThreadPoolExecutor(max_workers=4) as pool:
    pool.submit(report.add, 1)
    for _ in range(20_000):  # reads the next file
        pass
    pool.submit(report.add, 2)
