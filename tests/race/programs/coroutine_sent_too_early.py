# The coroutine is after what came before it was handed over; the sender does not wait for it.
# expect-one-of: data-race Job.text | lost-update Job.text
# racy-twin-of: edge_run_coroutine_threadsafe
import asyncio
import threading


class Job:
    def __init__(self):
        self.text = ""


async def finish(job):
    job.text += " world"


async def serve():
    loops.append(asyncio.get_running_loop())
    stop = asyncio.Event()
    loops.append(stop)
    started.set()
    await stop.wait()


def send(job):
    started.wait()
    loop, stop = loops
    future = asyncio.run_coroutine_threadsafe(finish(job), loop)
    job.text = "hello"
    future.result()
    loop.call_soon_threadsafe(stop.set)


loops = []
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
