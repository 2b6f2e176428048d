# Objects die and others take their addresses, in the same thread and in another one.
import queue
import threading


class Item:
    def __init__(self, number):
        self.number = number


class Slotted:
    __slots__ = ("number",)

    def __init__(self, number):
        self.number = number


def make():
    for number in range(500):
        item, slotted, items, names = Item(number), Slotted(number), [number], {"n": number}
        item.number += 1
        slotted.number += 1
        items[0] += 1
        items.append(number)
        names["n"] += 1

        def cell():
            return number

        cell()


def pass_on(source, target):
    while (item := source.get()) is not None:
        item.number += 1
        item = Item(item.number)
        target.put(item)
    target.put(None)


there, back = queue.SimpleQueue(), queue.SimpleQueue()
threads = [threading.Thread(target=make) for _ in range(2)]
threads.append(threading.Thread(target=pass_on, args=(there, back)))
for thread in threads:
    thread.start()
for number in range(200):
    there.put(Item(number))
there.put(None)
while (item := back.get()) is not None:
    item.number += 1
for thread in threads:
    thread.join()
print("done")
