import pickle
import threading

records = ["first", "second"]
records_lock = threading.Lock()


def add(record):
    with records_lock:
        records.append(record)


def dump():
    with records_lock:
        return pickle.dumps(records)


threads = [threading.Thread(target=add, args=("third",)), threading.Thread(target=dump)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(len(records))
