"""A loop whose lines take 60, 30 and 10 % of the time, in calls of C functions."""

import target

LONG, MIDDLE, SHORT = range(60_000), range(30_000), range(10_000)


def loop():
    total = 0
    while not target.stopped:
        total += sum(LONG)  # 60 %
        total += sum(
            # The call's line is the one above.
            MIDDLE,
        )
        for _ in range(10):
            total += sum(SHORT[:1000])  # 10 %


if __name__ == "__main__":
    target.stop_on_sigterm()
    target.ready()
    loop()
