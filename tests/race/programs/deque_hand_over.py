# append and popleft are atomic, and what was handed over is safe to use: it is after the append.
# expect: ordering inbox
import collections
import threading

inbox = collections.deque()


class Letter:
    def __init__(self):
        self.text = ""


def write():
    letter = Letter()
    letter.text = "hello"
    inbox.append(letter)


def read():
    while True:
        try:
            letter = inbox.popleft()
        except IndexError:
            continue
        letter.text += "!"
        return


threads = [threading.Thread(target=write), threading.Thread(target=read)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(len(inbox))
