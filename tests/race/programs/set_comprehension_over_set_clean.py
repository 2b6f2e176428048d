import threading

tags = frozenset({"a", "b", "c"})
tags_lock = threading.Lock()


def add(tag):
    global tags
    with tags_lock:
        tags |= {tag}


def shouted():
    with tags_lock:
        present = tags
    return {tag.upper() for tag in present}


threads = [threading.Thread(target=add, args=("d",)), threading.Thread(target=shouted)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(len(tags))
