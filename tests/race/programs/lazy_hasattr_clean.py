# Set up before the threads start.
import threading


class Model:
    def load(self):
        if not hasattr(self, "weights"):
            self.weights = [1, 2, 3]

    def predict(self, value):
        self.load()
        return value * self.weights[0]


model = Model()
model.load()
threads = [threading.Thread(target=model.predict, args=(5,)) for _ in range(2)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(model.predict(1))
