# expect: data-race closure crawl.<stopped>
import threading


def crawl():
    stopped = False

    def fetch():
        while not stopped:
            pass

    def stop():
        nonlocal stopped
        stopped = True

    threads = [threading.Thread(target=fetch), threading.Thread(target=stop)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


crawl()
print("stopped")
