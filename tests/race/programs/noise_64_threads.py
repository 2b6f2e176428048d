import threading

THREADS = 64
totals = [0] * THREADS
by_name = {}
started = threading.Barrier(THREADS)
finished = threading.Condition()
left = THREADS


def work(number):
    global left
    started.wait()
    for step in range(50):
        totals[number] += step
        by_name[number] = by_name.get(number, 0) + step
    with finished:
        left -= 1
        finished.notify_all()


threads = [threading.Thread(target=work, args=(number,)) for number in range(THREADS)]
for thread in threads:
    thread.start()
with finished:
    finished.wait_for(lambda: left == 0)
for thread in threads:
    thread.join()
print(sum(totals), sum(by_name.values()))
