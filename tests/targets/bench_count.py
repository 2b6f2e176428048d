"""One busy thread counts its work; main answers each line on stdin with {"seconds", "units"} so far."""

import json
import sys
import threading
import time

import target

units = 0


def unit():
    x = 0
    for i in range(100):
        x += i * i
    return x


def work():
    global units
    while True:
        unit()
        units += 1


if __name__ == "__main__":
    threading.Thread(target=work, daemon=True).start()
    target.ready()
    for _ in sys.stdin:
        print(json.dumps({"seconds": time.perf_counter(), "units": units}), flush=True)
