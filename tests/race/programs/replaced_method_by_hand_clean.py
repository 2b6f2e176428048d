import threading


class Printer:
    def show(self):
        return "shown"


def hush():
    attributes = vars(printer)
    attributes["pages"] = 0
    attributes["show"] = lambda: "hushed"
    printer.pages = 1
    hushed.set()


def use():
    hushed.wait()
    printer.show()


printer = Printer()
hushed = threading.Event()
threads = [threading.Thread(target=use), threading.Thread(target=hush)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(printer.show())
