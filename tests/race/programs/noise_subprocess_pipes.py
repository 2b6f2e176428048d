import os
import subprocess
import sys
import threading


def work(number):
    command = [sys.executable, "-c", "print(input())"]
    answer = subprocess.run(command, input="number %d" % number, capture_output=True, text=True)
    assert answer.stdout == "number %d\n" % number, answer
    reader, writer = os.pipe()
    os.write(writer, b"text")
    os.close(writer)
    assert os.read(reader, 100) == b"text"
    os.close(reader)


threads = [threading.Thread(target=work, args=(number,)) for number in range(2)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print("done")
