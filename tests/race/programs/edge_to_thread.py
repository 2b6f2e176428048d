# What comes before to_thread is before the function, and that is before whoever awaited it.
# edge: future
import asyncio


class Job:
    def __init__(self):
        self.text = ""


def work(job):
    job.text += "hello"


async def main():
    job = Job()
    await asyncio.to_thread(work, job)  # the thread runs from here on
    job.text += " and "
    await asyncio.to_thread(work, job)
    job.text += "!"
    print(job.text)


asyncio.run(main())
