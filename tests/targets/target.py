"""What every target shares: it says "ready" on its stdout, works until SIGTERM, and prints its truth.

A busy target loops `while not target.stopped`; a parked one ends by SIGTERM's default action.
"""

import json
import signal

stopped = False


def stop_on_sigterm():
    def stop(signum, frame):
        global stopped
        stopped = True

    signal.signal(signal.SIGTERM, stop)


def ready(**facts):
    print("ready " + json.dumps(facts), flush=True)


def finish(**truth):
    print(json.dumps(truth), flush=True)
