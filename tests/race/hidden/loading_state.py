# Race: `Model.weights`, data-race: who finds the model being loaded takes it for loaded.
# Hidden as long as it is either not begun or loaded.
import threading


class Model:
    def __init__(self):
        self.lock = threading.Lock()
        self.state = "none"
        self.weights = None

    def load(self):
        with self.lock:
            self.state = "loading"
        self.weights = [0.5] * 8
        with self.lock:
            self.state = "ready"

    def predict(self):
        with self.lock:
            state = self.state
        return None if state == "none" else self.weights


model = Model()
threads = [threading.Thread(target=model.load), threading.Thread(target=model.predict)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
