# expect: check-then-act Model.weights
import threading


class Model:
    def predict(self, value):
        if not hasattr(self, "weights"):
            self.weights = [1, 2, 3]
        return value * self.weights[0]


model = Model()
threads = [threading.Thread(target=model.predict, args=(5,)) for _ in range(2)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(model.predict(1))
