import contextlib
import threading
import traceback


class Failure(Exception):
    def __init__(self, number):
        super().__init__(number)
        self.number = number


def fail(number):
    raise Failure(number)


def work(number):
    for step in range(10):
        try:
            try:
                fail(number)
            except Failure as failure:
                failure.add_note("step %d" % step)
                raise RuntimeError("outer") from failure
        except RuntimeError as error:
            traceback.format_exception(error)
        with contextlib.suppress(KeyError):
            {}["missing"]
        try:
            raise ExceptionGroup("several", [ValueError(1), TypeError(2)])
        except* ValueError:
            pass
        except* TypeError:
            pass


threads = [threading.Thread(target=work, args=(number,)) for number in range(3)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print("done")
