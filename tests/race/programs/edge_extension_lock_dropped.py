# An extension module gives its mutex back as the last thing that a destructor does.
# edge: extension_lock
import sysconfig
import threading

from support import extension

guard = extension.load("guard", "lib" + sysconfig.get_config_var("EXT_SUFFIX"))


class Counter:
    def __init__(self):
        self.value = 0


def work():
    for _ in range(20):
        held = guard.hold()
        counter.value += 1
        del held


counter = Counter()
threads = [threading.Thread(target=work) for _ in range(2)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(counter.value)
