# A handler runs in the main thread between its instructions.
import signal
import threading

ticks = []


def on_alarm(number, frame):
    ticks.append(number)


def work(stop):
    own = []
    while not stop.is_set():
        own.append(len(own))
        if len(own) > 100:
            own.clear()


signal.signal(signal.SIGALRM, on_alarm)
stop = threading.Event()
threads = [threading.Thread(target=work, args=(stop,)) for _ in range(2)]
for thread in threads:
    thread.start()
for _ in range(20):
    signal.raise_signal(signal.SIGALRM)
stop.set()
for thread in threads:
    thread.join()
print(len(ticks))
