# expect: unsafe lines
import threading

lines = iter(["one", "two", "three", "four", "five", "six"])


def consume():
    for line in lines:
        len(line)


threads = [threading.Thread(target=consume) for _ in range(2)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(next(lines, "end"))
