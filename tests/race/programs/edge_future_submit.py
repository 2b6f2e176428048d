# What comes before submit is before the task.
# edge: future
import concurrent.futures


class Film:
    frames = 0


def develop(film):
    return film.frames


film = Film()
with concurrent.futures.ThreadPoolExecutor(max_workers=1) as pool:
    pool.submit(develop, film).result()  # the thread runs from here on
    film.frames = 36
    print(pool.submit(develop, film).result())
