# expect: iteration loads
import threading

loads = {host: host % 7 for host in range(20)}


def busy_hosts():
    try:
        return [load for load in loads.values() if load > 3]
    except RuntimeError:  # dictionary changed size during iteration
        return []


def drain():
    for host in range(10):
        loads.pop(host)


threads = [threading.Thread(target=busy_hosts), threading.Thread(target=drain)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(len(loads))
