# Everything is a thread's own, or was finished before the threads started.
import collections
import contextlib
import threading

CONFIGURATION = {"names": ["a", "b", "c"], "limits": {"low": 1, "high": 9}}
Point = collections.namedtuple("Point", "x y")


def work():
    counter = collections.Counter("some letters")
    ordered = collections.OrderedDict(a=1)
    recent = collections.deque(maxlen=3)
    groups = collections.defaultdict(list)
    chain = collections.ChainMap({}, CONFIGURATION)
    for step in range(20):
        for name in CONFIGURATION["names"]:
            groups[name].append(CONFIGURATION["limits"]["high"])
        counter.update("more")
        ordered[step] = step
        ordered.move_to_end("a")
        recent.append(Point(step, step))
        chain["limits"]["low"]
        sorted(CONFIGURATION), dict(CONFIGURATION), list(CONFIGURATION.items())
        with contextlib.suppress(TypeError):
            collections.deque.nickname = "recent"  # which it does not take
    counter.most_common(2)


threads = [threading.Thread(target=work) for _ in range(4)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print("done")
