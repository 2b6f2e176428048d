# expect-one-of: data-race window | data-race window[1]
import threading

window = [0, 0, 0, 0]


def shift():
    for number in range(10):
        window[0:3] = [number, number + 1, number + 2]


def look():
    for _ in range(10):
        abs(window[1])


threads = [threading.Thread(target=shift), threading.Thread(target=look)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(len(window))
