# A wait that gave up orders nothing, nor does an event that is seen not to be set.
# expect: data-race Weather.forecast
# racy-twin-of: edge_event_is_set
import threading


class Weather:
    forecast = None


def predict(weather, may_end):
    weather.forecast = "sun"
    may_end.wait()


weather = Weather()
known, may_end = threading.Event(), threading.Event()
thread = threading.Thread(target=predict, args=(weather, may_end))
thread.start()
known.wait(timeout=0.001)
if not known.is_set():
    str(weather.forecast)
may_end.set()
thread.join()
print(weather.forecast)
