# expect: lost-update closure make_counter.<count>
import threading


def make_counter():
    count = 0

    def bump():
        nonlocal count
        count += 1
        return count

    return bump


def work(bump):
    for _ in range(50):
        bump()


bump = make_counter()
threads = [threading.Thread(target=work, args=(bump,)) for _ in range(2)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(bump())
