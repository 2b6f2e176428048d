# Who clears an event gives nothing over to those who see it set again.
# expect-one-of: data-race Weather.forecast | lost-update Weather.forecast
# racy-twin-of: edge_event
import os
import shutil
import tempfile
import threading


class Weather:
    def __init__(self):
        self.forecast = ""


def predict():
    weather.forecast = "sun"
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
known.set()
known.wait()
weather.forecast += "shine"
may_end.set()
thread.join()
shutil.rmtree(directory)
print(weather.forecast)
