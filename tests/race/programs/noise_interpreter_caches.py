# What the interpreter remembers for itself: codecs, formats of struct, warnings that were given,
# the running tasks of asyncio.
import asyncio
import io
import struct
import threading
import warnings

CODECS = ["cp037", "cp273", "cp500", "cp875", "idna", "iso8859-5", "koi8-r", "mac-roman"]


async def step():
    task = asyncio.current_task()
    await asyncio.sleep(0)
    return task is asyncio.current_task()


async def steps():
    asyncio.get_running_loop().set_task_factory(asyncio.eager_task_factory)
    return all([await asyncio.create_task(step()) for _ in range(10)])


def work():
    all_are_here.wait()
    for codec in CODECS:
        assert "abc".encode(codec).decode(codec) == "abc"
    io.TextIOWrapper(io.BytesIO(b"abc"), encoding="iso8859-7").read()
    for number in range(150):
        struct.pack(f"{number}x")
    for number in range(20):
        warnings.warn(f"old {number % 10}", DeprecationWarning, stacklevel=1)
    assert asyncio.run(steps())


warnings.simplefilter("default")
warnings.showwarning = lambda *_: None
all_are_here = threading.Barrier(3)
threads = [threading.Thread(target=work) for _ in range(3)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print("done")
