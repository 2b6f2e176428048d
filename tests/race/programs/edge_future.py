# edge: future
import concurrent.futures


class Film:
    frames = 0


def develop(film):
    film.frames = 36
    return "developed"


film = Film()
with concurrent.futures.ThreadPoolExecutor(max_workers=1) as pool:
    future = pool.submit(develop, film)
    future.result()
    print(film.frames)
