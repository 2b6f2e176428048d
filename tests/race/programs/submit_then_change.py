# The task is after what came before submit, not after what comes then.
# expect: data-race Film.frames
# racy-twin-of: edge_future_submit edge_future
import concurrent.futures


class Film:
    frames = 0


def develop(film):
    return film.frames


film = Film()
with concurrent.futures.ThreadPoolExecutor(max_workers=1) as pool:
    result = pool.submit(develop, film)
    film.frames = 36
    result.result()
print(film.frames)
