import dataclasses
import threading


@dataclasses.dataclass(order=True)
class Point:
    x: int
    y: int = 0
    tags: list = dataclasses.field(default_factory=list)


def work(number):
    points = [Point(number, step) for step in range(20)]
    for point in points:
        point.x += 1
        point.tags.append("seen")
        dataclasses.asdict(point)
        dataclasses.replace(point, y=3)
        repr(point)
    points.sort()
    made = dataclasses.make_dataclass("Made%d" % number, ["a", "b"])
    made(1, 2)


threads = [threading.Thread(target=work, args=(number,)) for number in range(3)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print("done")
