# expect: lost-update Circle.drawn
import threading


class Shape:
    def __init__(self):
        self.drawn = 0

    def draw(self):
        self.drawn += 1


class Circle(Shape):
    def draw(self):
        super().draw()


def render(shape):
    for _ in range(20):
        shape.draw()


circle = Circle()
threads = [threading.Thread(target=render, args=(circle,)) for _ in range(2)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(circle.drawn > 0)
