# The race on the cache of patterns, which does no harm, orders nothing.
# expect: lost-update Stats.matches
import os
import re
import shutil
import tempfile
import threading


class Stats:
    matches = 0


def match():
    stats.matches += 1
    re.match("a+b", "aab")
    os.mkdir(flag)


def match_again():
    while not os.path.isdir(flag):
        pass
    re.match("a+b", "aab")
    stats.matches += 1


stats = Stats()
directory = tempfile.mkdtemp()
flag = os.path.join(directory, "there")  # looking at a directory orders nothing
threads = [threading.Thread(target=f) for f in (match_again, match)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
shutil.rmtree(directory)
print(stats.matches)
