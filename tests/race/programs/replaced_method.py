# The printer's own `show` hides that of its class.
# expect: data-race Printer.show
import threading


class Printer:
    def show(self):
        return "shown"


def hush():
    printer.show = lambda: "hushed"


def use():
    while printer.show() != "hushed":
        pass
    printer.show()  # the last one may have been looked at before it was replaced, and called then


printer = Printer()
threads = [threading.Thread(target=use), threading.Thread(target=hush)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(printer.show())
