# expect: lost-update module journal
import threading

journal = ""


def note(line):
    global journal
    for _ in range(20):
        journal += line + "\n"


threads = [threading.Thread(target=note, args=(line,)) for line in ("in", "out")]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(len(journal))
