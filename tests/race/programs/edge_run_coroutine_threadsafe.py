# Two loops in two threads, and a third thread that gives one of them work.
# edge: future
import asyncio
import threading


class Job:
    def __init__(self):
        self.text = ""


async def finish(job):
    job.text += " world"
    return job


async def serve(started, loops):
    loops.append(asyncio.get_running_loop())
    stop = asyncio.Event()
    loops.append(stop)
    started.set()
    await stop.wait()


def send(job):
    started.wait()
    loop, stop = loops
    job.text = "hello"
    asyncio.run_coroutine_threadsafe(finish(job), loop).result()
    job.text += "!"
    loop.call_soon_threadsafe(stop.set)


loops = []
started = threading.Event()
job = Job()
threads = [
    threading.Thread(target=lambda: asyncio.run(serve(started, loops))),
    threading.Thread(target=lambda: asyncio.run(asyncio.sleep(0))),
    threading.Thread(target=send, args=(job,)),
]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(job.text)
