# expect: iteration tags
import threading

tags = {"a", "b", "c"}


def add(tag):
    tags.add(tag)


def shouted():
    try:
        return {tag.upper() for tag in tags}
    except RuntimeError:  # the set changed its size
        return set()


threads = [threading.Thread(target=add, args=("d",)), threading.Thread(target=shouted)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(len(tags))
