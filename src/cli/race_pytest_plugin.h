// What makes pytest tell the runtime which test runs: a plugin in plain Python beside the
// environment's own module (race_environment.cc), which pytest finds by an entry point as it finds
// every installed plugin. `pytest -p no:fthreadprof` leaves it out.
//
// The runtime sees sys.audit("fthreadprof.test", NAME or None) and takes it for the calling thread
// and all that it starts from then on; elsewhere such a call does nothing. The plugin runs in the
// thread that runs the tests only, and keeps what it knows private to that thread: it has no part
// in any race.
#ifndef FTHREADPROF_CLI_RACE_PYTEST_PLUGIN_H_
#define FTHREADPROF_CLI_RACE_PYTEST_PLUGIN_H_

namespace fthreadprof {

inline constexpr char kPytestPlugin[] = R"python("""Tells `fthreadprof race` which test runs."""

import sys
import threading

import pytest

_running = threading.local()


def _run(test):
    _running.test = test
    sys.audit("fthreadprof.test", test)


@pytest.hookimpl(hookwrapper=True, tryfirst=True)
def pytest_runtest_protocol(item):
    outer = getattr(_running, "test", None)  # pytest may run inside of a test
    _run(item.nodeid)
    try:
        yield
    finally:
        _run(outer)
)python";

inline constexpr char kPytestPluginMetadata[] =
    "Metadata-Version: 2.1\nName: fthreadprof-race\nVersion: 1\n";
inline constexpr char kPytestPluginEntryPoints[] =
    "[pytest11]\nfthreadprof = _fthreadprof_pytest\n";

}  // namespace fthreadprof

#endif  // FTHREADPROF_CLI_RACE_PYTEST_PLUGIN_H_
