# A wait that gave up orders nothing, nor does an event that is seen not to be set: any more.
# expect: data-race Weather.forecast
# racy-twin-of: edge_event_is_set
import os
import shutil
import tempfile
import threading


class Weather:
    forecast = None


def predict():
    weather.forecast = "sun"
    known.set()
    known.clear()
    os.mkdir(flag)
    may_end.wait()


weather = Weather()
known, may_end = threading.Event(), threading.Event()
directory = tempfile.mkdtemp()
flag = os.path.join(directory, "there")  # looking at a directory orders nothing
thread = threading.Thread(target=predict)
thread.start()
while not os.path.isdir(flag):
    pass
known.wait(timeout=0.001)
if not known.is_set():
    str(weather.forecast)
may_end.set()
thread.join()
shutil.rmtree(directory)
print(weather.forecast)
