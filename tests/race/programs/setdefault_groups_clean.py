import threading

groups = {}
group_lock = threading.Lock()


def group(numbers):
    with group_lock:
        for number in numbers:
            groups.setdefault("even" if number % 2 == 0 else "odd", []).append(number)


threads = [threading.Thread(target=group, args=(numbers,)) for numbers in ((2, 4), (6, 8))]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(len(groups["even"]))
