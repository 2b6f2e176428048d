import threading

visited = {1}
visited_lock = threading.RLock()


def visit(pages):
    with visited_lock:
        visited.update(pages)


def count():
    with visited_lock:
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
