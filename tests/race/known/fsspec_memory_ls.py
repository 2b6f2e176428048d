# What: `ls` of the memory file system iterates over its `store` while another thread adds a file.
# Release: fsspec 2022.1.0, implementations/memory.py
# Issue: fsspec/filesystem_spec 893
# requires: fsspec==2022.1.0
# options: --include fsspec
# expect: iteration MemoryFileSystem.store
"""RuntimeError: dictionary changed size during iteration."""

import threading

from fsspec.implementations.memory import MemoryFileSystem

files = MemoryFileSystem()
for number in range(50):
    files.pipe_file(f"/old{number}", b"text")
both_are_here = threading.Barrier(2)


def write():
    both_are_here.wait()
    for number in range(50):
        files.pipe_file(f"/new{number}", b"text")


def show():
    both_are_here.wait()
    for _ in range(10):
        try:
            files.ls("/")
        except RuntimeError:
            pass


threads = [threading.Thread(target=write), threading.Thread(target=show)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print("done")
