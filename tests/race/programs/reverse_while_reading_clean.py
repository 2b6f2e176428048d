# Each thread reverses a list of its own.
import threading


def reverse():
    playlist = ["one", "two", "three"]
    for _ in range(10):
        playlist.reverse()
        playlist[0].upper()


threads = [threading.Thread(target=reverse) for _ in range(2)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print("done")
