# One thread acquires the lock, the other one releases it.
# edge: lock
import threading


class Letter:
    text = ""


def write(letter, sealed):
    letter.text = "dear reader"
    sealed.release()


def read(letter, sealed):
    sealed.acquire()
    letter.text.upper()


letter = Letter()
sealed = threading.Lock()
sealed.acquire()
threads = [threading.Thread(target=work, args=(letter, sealed)) for work in (read, write)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(letter.text)
