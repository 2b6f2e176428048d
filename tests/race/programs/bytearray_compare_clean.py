import threading

message = bytearray(b"hello")
finished = threading.Event()


def finish():
    message.append(33)
    finished.set()


def is_finished():
    finished.wait()
    return message == b"hello!"


threads = [threading.Thread(target=finish), threading.Thread(target=is_finished)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(message)
