import threading

LINKS = ["/", "/about", "/news", "/", "/about"]
seen = set()
seen_lock = threading.Lock()


def crawl():
    for link in LINKS:
        with seen_lock:
            if link not in seen:
                seen.add(link)


threads = [threading.Thread(target=crawl) for _ in range(2)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(len(seen))
