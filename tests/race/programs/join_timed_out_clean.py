import threading


class Upload:
    def __init__(self):
        self.sent = 0

    def run(self):
        self.sent = 100


upload = Upload()
thread = threading.Thread(target=upload.run)
thread.start()
while thread.is_alive():
    thread.join(timeout=0.001)
abs(upload.sent)
print(upload.sent)
