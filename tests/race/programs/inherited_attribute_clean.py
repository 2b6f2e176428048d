# Each thread draws a circle of its own.
import threading


class Shape:
    def __init__(self):
        self.drawn = 0

    def draw(self):
        self.drawn += 1


class Circle(Shape):
    def draw(self):
        super().draw()


def render():
    circle = Circle()
    for _ in range(20):
        circle.draw()


threads = [threading.Thread(target=render) for _ in range(2)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print("done")
