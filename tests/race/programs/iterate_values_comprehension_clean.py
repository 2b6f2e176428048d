# The drain changes values only, under the lock that the comprehension holds too.
import threading

loads = {host: host % 7 for host in range(20)}
loads_changed = threading.Condition()


def busy_hosts():
    with loads_changed:
        return [load for load in loads.values() if load > 3]


def drain():
    for host in range(10):
        with loads_changed:
            loads[host] = 0


threads = [threading.Thread(target=busy_hosts), threading.Thread(target=drain)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(len(loads))
