# What is changed after a callback was added is not what the callback was told of.
# expect-one-of: data-race Film.frames | lost-update Film.frames
# racy-twin-of: edge_done_callback
import concurrent.futures
import os
import shutil
import tempfile
import threading


class Film:
    frames = 0


def develop():
    while not os.path.isdir(flag):
        pass
    future.set_result(None)


def show(_future):
    abs(film.frames)


film = Film()
future = concurrent.futures.Future()
directory = tempfile.mkdtemp()
flag = os.path.join(directory, "there")  # looking at a directory orders nothing
thread = threading.Thread(target=develop)
thread.start()
future.add_done_callback(show)
film.frames = 36
os.mkdir(flag)
thread.join()
shutil.rmtree(directory)
print(film.frames)
