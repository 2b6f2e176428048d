import threading


class Answer:
    def __init__(self):
        self.ready = threading.Event()
        self.value = None


def compute(answer):
    answer.value = 42
    answer.ready.set()


def show(answer):
    answer.ready.wait()
    return answer.value


answer = Answer()
threads = [threading.Thread(target=work, args=(answer,)) for work in (show, compute)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(answer.value)
