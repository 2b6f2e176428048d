# The job is changed after it was handed over.
# expect-one-of: data-race Job.text | lost-update Job.text
# racy-twin-of: edge_call_soon_threadsafe
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


def take(job):
    job.text += " world"
    finished[0].set()


def send(job):
    started.wait()
    loops[0].call_soon_threadsafe(take, job)
    job.text = "hello"


loops, finished = [], []
started = threading.Event()
job = Job()
threads = [
    threading.Thread(target=lambda: asyncio.run(serve())),
    threading.Thread(target=send, args=(job,)),
]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(len(job.text) > 0)
