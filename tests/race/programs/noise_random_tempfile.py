import os
import random
import tempfile
import threading


def work():
    for _ in range(10):
        random.random()
        random.shuffle(list(range(5)))
        random.choice("abc")
        with tempfile.TemporaryFile() as file:
            file.write(b"text")
        with tempfile.NamedTemporaryFile("w") as file:
            file.write("text")
            os.path.basename(file.name)
        with tempfile.TemporaryDirectory() as directory:
            os.listdir(directory)


threads = [threading.Thread(target=work) for _ in range(3)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print("done")
