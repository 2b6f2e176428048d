import asyncio
import threading


class Job:
    def __init__(self):
        self.text = ""


async def serve():
    loops.append(asyncio.get_running_loop())
    finished.append(asyncio.Event())
    started.set()
    await finished[0].wait()


def take(text):
    job.text = text + " world"
    finished[0].set()


def send():
    started.wait()
    loops[0].call_soon_threadsafe(take, "hello")


loops, finished = [], []
started = threading.Event()
job = Job()
threads = [threading.Thread(target=lambda: asyncio.run(serve())), threading.Thread(target=send)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(job.text)
