import _thread

ticks = 0
ticks_lock = _thread.allocate_lock()


def tick(done):
    global ticks
    for _ in range(20):
        with ticks_lock:
            ticks += 1
    done.release()


ends = [_thread.allocate_lock() for _ in range(2)]
for end in ends:
    end.acquire()
for end in ends:
    _thread.start_new_thread(tick, (end,))
for end in ends:
    end.acquire()
print(ticks)
