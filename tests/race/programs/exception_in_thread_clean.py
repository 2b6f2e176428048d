import threading


class Server:
    def __init__(self):
        self.lock = threading.Lock()
        self.errors = 0

    def handle(self, request):
        try:
            return 100 // request
        except ZeroDivisionError:
            with self.lock:
                self.errors += 1
        finally:
            request = None


server = Server()
threads = [threading.Thread(target=server.handle, args=(0,)) for _ in range(2)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(server.errors)
