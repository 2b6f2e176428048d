import threading


def crawl():
    stopped = False
    lock = threading.Lock()

    def is_stopped():
        with lock:
            return stopped

    def fetch():
        while not is_stopped():
            pass

    def stop():
        nonlocal stopped
        with lock:
            stopped = True

    threads = [threading.Thread(target=fetch), threading.Thread(target=stop)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


crawl()
print("stopped")
