# edge: future
import concurrent.futures
import threading


class Film:
    frames = 0


def develop(film, may_go):
    may_go.wait()
    film.frames = 36


def show(future):
    abs(film.frames)


film = Film()
may_go = threading.Event()
with concurrent.futures.ThreadPoolExecutor(max_workers=1) as pool:
    future = pool.submit(develop, film, may_go)
    future.add_done_callback(show)
    may_go.set()
    while not future.done():
        pass
    print(film.frames)
