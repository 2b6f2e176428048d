# expect: lost-update module total
import threading

total = 0


def add_numbers(numbers):
    global total
    for number in numbers:
        total += number


halves = [threading.Thread(target=add_numbers, args=(range(50),)) for _ in range(2)]
for half in halves:
    half.start()
for half in halves:
    half.join()
print(total)
