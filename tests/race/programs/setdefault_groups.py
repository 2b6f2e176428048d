# dict.setdefault and list.append are atomic: only the order of the group's members is open.
# expect: ordering groups['even']
import threading

groups = {}


def group(numbers):
    for number in numbers:
        groups.setdefault("even" if number % 2 == 0 else "odd", []).append(number)


threads = [threading.Thread(target=group, args=(numbers,)) for numbers in ((2, 4), (6, 8))]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(len(groups["even"]))
