import queue
import threading

inbox = queue.SimpleQueue()


class Letter:
    def __init__(self):
        self.text = ""


def write():
    letter = Letter()
    letter.text = "hello"
    inbox.put(letter)


def read():
    letter = inbox.get()
    letter.text += "!"


threads = [threading.Thread(target=write), threading.Thread(target=read)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(inbox.empty())
