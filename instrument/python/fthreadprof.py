"""What a program tells `fthreadprof race` about order that it cannot see.

Under the wrapper this module is there without being installed; elsewhere, copied or installed, its
functions do nothing.

    job.text = "hello"                      while not os.path.isdir(flag):
    fthreadprof.happens_before(job)             pass
    os.mkdir(flag)                          fthreadprof.happens_after(job)
                                            print(job.text)
"""

__all__ = ["happens_before", "happens_after", "benign"]

try:
    # Built into the instrumented interpreter.
    from _fthreadprof_annotations import benign, happens_after, happens_before
except ImportError:

    def happens_before(obj, /):
        """What this thread has done so far is before whoever calls happens_after(obj) from now on."""

    def happens_after(obj, /):
        """What this thread does next is after all calls of happens_before(obj) until now."""

    def benign(obj, /):
        """Races on this object are meant to be: its elements, or its attributes. Returns it."""
        return obj
