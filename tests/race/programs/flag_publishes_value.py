# What the flag is meant to announce may be reported too.
# expect: data-race Answer.ready
# allow: data-race Answer.value
import threading


class Answer:
    def __init__(self):
        self.ready = False
        self.value = None


def compute(answer):
    answer.value = 42
    answer.ready = True


def show(answer):
    while not answer.ready:
        pass
    return answer.value


answer = Answer()
threads = [threading.Thread(target=work, args=(answer,)) for work in (show, compute)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(answer.value)
