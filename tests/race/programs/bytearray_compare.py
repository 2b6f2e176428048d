# expect: unsafe message
import threading

message = bytearray(b"hello")


def finish():
    message.append(33)


def is_finished():
    return message == b"hello!"


threads = [threading.Thread(target=finish), threading.Thread(target=is_finished)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(message)
