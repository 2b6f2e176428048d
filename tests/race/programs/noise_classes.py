# Classes are made in threads, with inheritance, properties, slots and metaclasses.
import abc
import threading


class Base(abc.ABC):
    registry_size = 0

    @abc.abstractmethod
    def name(self):
        ...

    @property
    def title(self):
        return self.name().title()


def work(number):
    for _ in range(10):

        class Child(Base):
            __slots__ = ("number",)

            def __init__(self):
                self.number = number

            def name(self):
                return "child %d" % self.number

        child = Child()
        child.title
        isinstance(child, Base)
        issubclass(Child, Base)
        type("Dynamic%d" % number, (Child,), {"level": 3})().name()


threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print("done")
