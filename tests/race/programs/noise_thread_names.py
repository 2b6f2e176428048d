# What threading itself keeps: names, enumeration, excepthook, stack sizes, timers that are cancelled.
import threading


def work():
    thread = threading.current_thread()
    thread.name = "renamed"
    thread.name.upper()
    threading.get_ident()
    threading.active_count()
    len(threading.enumerate())
    threading.main_thread().is_alive()


def fail():
    raise ValueError("wanted")


threading.excepthook = lambda arguments: None
threads = [threading.Thread(target=work, name="worker") for _ in range(3)]
threads.append(threading.Thread(target=fail))
threads.append(threading.Timer(100, work))
for thread in threads:
    thread.start()
threads[-1].cancel()
for thread in threads:
    thread.join()
print("done")
