# edge: event
import threading


class Weather:
    forecast = None


def predict(weather, known):
    weather.forecast = "rain"
    known.set()


def pack(weather, known):
    known.wait()
    weather.forecast.upper()


weather = Weather()
known = threading.Event()
threads = [threading.Thread(target=work, args=(weather, known)) for work in (pack, predict)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(weather.forecast)
