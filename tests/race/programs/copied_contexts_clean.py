import contextvars
import threading

current = contextvars.ContextVar("current")
totals = []


def count():
    current.set([0])
    counts = current.get()
    for _ in range(20):
        counts[0] += 1
    with adding:
        totals.append(counts[0])


current.set([0])
adding = threading.Lock()
contexts = [contextvars.copy_context() for _ in range(2)]
threads = [threading.Thread(target=context.run, args=(count,)) for context in contexts]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(sum(totals) + current.get()[0])
