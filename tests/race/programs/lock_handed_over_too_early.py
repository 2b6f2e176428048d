# The letter is written after the lock that its reader waits for was given back.
# expect: data-race Letter.text
# racy-twin-of: edge_lock_handover
import threading


class Letter:
    text = ""


def write(letter, sealed):
    sealed.release()
    letter.text = "dear reader"


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
