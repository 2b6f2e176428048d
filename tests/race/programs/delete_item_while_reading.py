# expect-one-of: data-race line | data-race line[0]
import threading

line = list(range(20))


def next_please():
    for _ in range(10):
        del line[0]


def who_is_next():
    for _ in range(10):
        abs(line[0])


threads = [threading.Thread(target=next_please), threading.Thread(target=who_is_next)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(len(line))
