import threading

line = list(range(20))
line_lock = threading.Lock()


def next_please():
    for _ in range(10):
        with line_lock:
            del line[0]


def who_is_next():
    for _ in range(10):
        with line_lock:
            abs(line[0])


threads = [threading.Thread(target=next_please), threading.Thread(target=who_is_next)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(len(line))
