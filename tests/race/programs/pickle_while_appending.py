# pickle goes over the list by macro.
# expect: iteration records
import pickle
import threading

records = ["first", "second"]


def add(record):
    records.append(record)


def dump():
    return pickle.dumps(records)


threads = [threading.Thread(target=add, args=("third",)), threading.Thread(target=dump)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(len(records))
