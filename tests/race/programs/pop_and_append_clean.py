import threading

free_pages = list(range(20))
pages_lock = threading.Lock()


def allocate():
    for _ in range(10):
        with pages_lock:
            free_pages.pop()


def release():
    for page in range(20, 30):
        with pages_lock:
            free_pages.append(page)


threads = [threading.Thread(target=allocate), threading.Thread(target=release)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(len(free_pages))
