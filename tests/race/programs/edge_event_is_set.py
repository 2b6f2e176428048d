# Polled, never waited for; and a wait that times out in between.
# edge: event
import threading


class Weather:
    forecast = None


def predict(weather, known):
    weather.forecast = "sun"
    known.set()


def pack(weather, known):
    known.wait(timeout=0.0001)
    while not known.is_set():
        pass
    weather.forecast.upper()


weather = Weather()
known = threading.Event()
threads = [threading.Thread(target=work, args=(weather, known)) for work in (pack, predict)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(weather.forecast)
