import enum
import threading


class Colour(enum.Enum):
    RED = 1
    GREEN = 2
    BLUE = 3


class Access(enum.IntFlag):
    READ = 1
    WRITE = 2
    EXECUTE = 4


def work():
    for number in range(30):
        Colour(number % 3 + 1).name.lower()
        Colour["RED"].value
        list(Colour)
        (Access.READ | Access.WRITE) & Access(number % 8)
        str(Access(number % 8))
        repr(Colour.GREEN)


threads = [threading.Thread(target=work) for _ in range(4)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print("done")
