# expect: data-race visited
import threading

visited = {1}


def visit(pages):
    visited.update(pages)


def count():
    return len(visited)


threads = [
    threading.Thread(target=visit, args=({2, 3, 4},)),
    threading.Thread(target=count),
]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(len(visited))
