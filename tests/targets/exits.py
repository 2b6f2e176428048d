"""Spins for a while, then exits: exits.py STATUS SECONDS; a negative STATUS is a signal to die by."""

import os
import sys
import time

import target


def spin_until(deadline):
    while time.perf_counter() < deadline:
        pass


status, seconds = int(sys.argv[1]), float(sys.argv[2])
target.ready()
spin_until(time.perf_counter() + seconds)
if status < 0:
    os.kill(os.getpid(), -status)
sys.exit(status)
