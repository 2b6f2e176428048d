import concurrent.futures
import threading

both_run = threading.Barrier(2)


def search(page):
    both_run.wait()
    return page


with concurrent.futures.ThreadPoolExecutor(max_workers=2) as pool:
    found = list(pool.map(search, ["home", "about"]))
print(len(found) > 0)
