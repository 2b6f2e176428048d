# A list and a dict in which each thread keeps to its own elements, inserts and deletes included.
import threading

SIZE = 400
values = list(range(SIZE))
squares = {}


def work(start):
    for index in range(start, start + SIZE // 4):
        values[index] = values[index] * 2
        squares[index] = values[index] ** 2
        if index % 3 == 0:
            del squares[index]
        squares.setdefault(("note", index), index)
        squares.pop(("note", index))


threads = [threading.Thread(target=work, args=(start,)) for start in range(0, SIZE, SIZE // 4)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(len(values), len(squares))
