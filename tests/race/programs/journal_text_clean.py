# The lines go through a queue to the one thread that owns the text.
import queue
import threading

lines = queue.Queue()


def note(line):
    for _ in range(20):
        lines.put(line)


threads = [threading.Thread(target=note, args=(line,)) for line in ("in", "out")]
for thread in threads:
    thread.start()
journal = ""
for _ in range(40):
    journal += lines.get() + "\n"
for thread in threads:
    thread.join()
print(len(journal))
