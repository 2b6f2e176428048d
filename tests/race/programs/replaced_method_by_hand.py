# A method is hidden by way of the instance's __dict__, then an attribute is stored that hides none.
# expect: data-race Printer.show
import itertools
import threading


class Printer:
    def show(self):
        return "shown"


def hush():
    attributes = vars(printer)
    attributes["pages"] = 0
    attributes["show"] = lambda: "hushed"
    printer.pages = 1
    next(hushed)


def use():
    while repr(hushed) == "count(0)":
        pass
    printer.show()


printer = Printer()
hushed = itertools.count()  # orders nothing
threads = [threading.Thread(target=use), threading.Thread(target=hush)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(printer.show())
