# Both are atomic.
# expect: ordering free_pages
import threading

free_pages = list(range(20))


def allocate():
    for _ in range(10):
        free_pages.pop()


def release():
    for page in range(20, 30):
        free_pages.append(page)


threads = [threading.Thread(target=allocate), threading.Thread(target=release)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(len(free_pages))
