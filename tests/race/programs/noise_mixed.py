# A little of everything, in a pool.
import collections
import concurrent.futures
import functools
import io
import json
import logging
import random
import re
import tempfile
import weakref

log = logging.getLogger("mixed")
log.addHandler(logging.StreamHandler(io.StringIO()))
log.setLevel(logging.INFO)


@functools.lru_cache
def double(number):
    return number * 2


def work(number):
    import string

    re.findall(r"(\d+)-%d" % number, "12-%d" % number)
    json.loads(json.dumps({"a": [1, 2, {"b": number}]}))
    log.info("hello %d", number)

    class Local:
        def __init__(self):
            self.value = number

        @property
        def twice(self):
            return double(self.value)

    local = Local()
    local.value += 1
    weakref.ref(local)()
    groups = collections.defaultdict(list)
    for step in range(10):
        groups[step % 3].append(step * number)
    f"{number:>10} {local.twice}"
    string.Template("$a").substitute(a=random.random())
    isinstance(local, collections.abc.Mapping)
    with tempfile.TemporaryFile() as file:
        file.write(b"x")
    return sum(groups[0])


with concurrent.futures.ThreadPoolExecutor(max_workers=4) as pool:
    print(sum(pool.map(work, range(40))))
