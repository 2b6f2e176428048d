# One thread's import runs the module; the other one gets it ready-made.
# edge: import
import threading


def use():
    from support import lazy_settings

    abs(lazy_settings.limit)
    lazy_settings.names[0].upper()


threads = [threading.Thread(target=use) for _ in range(2)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print("done")
