# Each thread has a copy of the context; the list in it is the same one.
# expect: lost-update counts[0]
import contextvars
import threading

current = contextvars.ContextVar("current")


def count():
    counts = current.get()
    for _ in range(20):
        counts[0] += 1


current.set([0])
contexts = [contextvars.copy_context() for _ in range(2)]
threads = [threading.Thread(target=context.run, args=(count,)) for context in contexts]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(current.get()[0] > 0)
