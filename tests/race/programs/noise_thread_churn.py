# 2,000 short threads, a few at a time.
import threading

total = 0
total_lock = threading.Lock()


def work(number):
    global total
    own = {"number": number, "square": number * number}
    own["square"] += 1
    with total_lock:
        total += own["square"]


for start in range(0, 2000, 8):
    threads = [threading.Thread(target=work, args=(number,)) for number in range(start, start + 8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
print(total)
