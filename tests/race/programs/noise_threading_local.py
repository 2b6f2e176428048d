import threading

local = threading.local()


class Context(threading.local):
    def __init__(self):
        self.depth = 0
        self.names = []


context = Context()


def work(number):
    local.number = number
    for step in range(20):
        local.number += step
        context.depth += 1
        context.names.append(step)
    del local.number


threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(context.depth)
