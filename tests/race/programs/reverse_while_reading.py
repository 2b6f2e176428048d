# expect-one-of: data-race playlist | data-race playlist[0]
import threading

playlist = ["one", "two", "three"]


def reverse():
    for _ in range(10):
        playlist.reverse()


def current():
    for _ in range(10):
        playlist[0].upper()


threads = [threading.Thread(target=reverse), threading.Thread(target=current)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(len(playlist))
