import threading


class Printer:
    def show(self):
        return "shown"


def hush():
    printer.show = lambda: "hushed"
    is_hushed.set()


def use():
    printer.show()
    is_hushed.wait()
    printer.show()


printer = Printer()
is_hushed = threading.Event()
threads = [threading.Thread(target=use), threading.Thread(target=hush)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(printer.show())
