"""Makes and frees code objects without end, so that their addresses are used again.

Round i runs outer_i -> inner_i from file <round_i>, i % 50 lines down: all names in a stack carry one i.
Every other round is short, gone before most readers have its names; the rounds between are not.
"""

import target

SOURCE = """\
def inner_{i}():
    x = 0
    for k in range({loops}):
        x += k
def outer_{i}():
    inner_{i}()
outer_{i}()
"""
OFFSETS = 50  # lines
LOOPS = (3_000, 40_000)  # about a tenth of a millisecond, and some milliseconds


def work():
    i = 0
    while not target.stopped:
        source = "\n" * (i % OFFSETS) + SOURCE.format(i=i, loops=LOOPS[i % 2])
        exec(compile(source, f"<round_{i}>", "exec"), {})
        i += 1
    return i


if __name__ == "__main__":
    target.stop_on_sigterm()
    target.ready()
    target.finish(rounds=work())
