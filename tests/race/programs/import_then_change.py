# The import orders the module's own initialisation, not what the two do with it then.
# expect: lost-update module limit
# racy-twin-of: edge_import
import threading


def use():
    from support import lazy_settings

    for _ in range(20):
        lazy_settings.limit += 1


threads = [threading.Thread(target=use) for _ in range(2)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print("done")
