# edge: condition
import threading


class Mailbox:
    def __init__(self):
        self.changed = threading.Condition()
        self.letter = None

    def put(self):
        with self.changed:
            self.letter = "hello"
            self.changed.notify()

    def get(self):
        with self.changed:
            while self.letter is None:
                self.changed.wait()
            return self.letter


mailbox = Mailbox()
threads = [threading.Thread(target=mailbox.get), threading.Thread(target=mailbox.put)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(mailbox.letter)
