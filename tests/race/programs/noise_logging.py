import io
import logging
import threading

log = logging.getLogger("app")
log.setLevel(logging.INFO)
log.addHandler(logging.StreamHandler(io.StringIO()))


def work(number):
    child = logging.getLogger("app.worker%d" % (number % 2))
    for step in range(10):
        log.info("worker %d, step %d", number, step)
        child.debug("not shown")
        child.warning("shown")
    try:
        1 // 0
    except ZeroDivisionError:
        log.exception("failed")


threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print("done")
