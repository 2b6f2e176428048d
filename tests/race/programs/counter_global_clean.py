import threading

total = 0
total_lock = threading.RLock()


def add(number):
    global total
    with total_lock:
        total += number


def add_numbers(numbers):
    with total_lock:
        for number in numbers:
            add(number)


halves = [threading.Thread(target=add_numbers, args=(range(50),)) for _ in range(2)]
for half in halves:
    half.start()
for half in halves:
    half.join()
print(total)
