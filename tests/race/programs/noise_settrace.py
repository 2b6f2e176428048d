import sys
import threading


def trace(frame, event, argument):
    return trace


def numbers(count):
    for number in range(count):
        yield number


def work():
    seen = []
    sys.settrace(trace)
    try:
        for number in numbers(20):
            seen.append(number)
    finally:
        sys.settrace(None)
    sys.setprofile(lambda frame, event, argument: None)
    seen.extend(numbers(5))
    sys.setprofile(None)


threads = [threading.Thread(target=work) for _ in range(3)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print("done")
