# expect: lost-update module ticks
import _thread

ticks = 0


def tick(done):
    global ticks
    for _ in range(20):
        ticks += 1
    done.release()


ends = [_thread.allocate_lock() for _ in range(2)]
for end in ends:
    end.acquire()
for end in ends:
    _thread.start_new_thread(tick, (end,))
for end in ends:
    end.acquire()
print(ticks > 0)
