# The callbacks of a future run after result() has been told: it does not wait for them.
# expect-one-of: data-race Film.frames | lost-update Film.frames
# racy-twin-of: edge_future_callback
import concurrent.futures
import threading


class Film:
    frames = 0


def develop(may_go):
    may_go.wait()


def show(future):
    film.frames += 1


film = Film()
may_go = threading.Event()
with concurrent.futures.ThreadPoolExecutor(max_workers=1) as pool:
    future = pool.submit(develop, may_go)
    future.add_done_callback(show)
    may_go.set()
    future.result()
    film.frames += 1
print(film.frames > 0)
