# expect: check-then-act found
import concurrent.futures
import threading

found = []
both_run = threading.Barrier(2)


def search(page):
    both_run.wait()
    if not found:
        found.append(page)


with concurrent.futures.ThreadPoolExecutor(max_workers=2) as pool:
    list(pool.map(search, ["home", "about"]))
print(len(found) > 0)
