"""Fixtures of the integration tests, and the summary of what they ran on."""

import functools
import os
import shutil
import signal

import harness
import pytest


# Whoever runs the tests in the background or under nohup has these ignored, and so would all that
# the tests start.
for number in (signal.SIGINT, signal.SIGHUP):
    if signal.getsignal(number) == signal.SIG_IGN:
        signal.signal(number, signal.default_int_handler)


@functools.lru_cache(maxsize=None)
def all_interpreters():
    return harness.find_interpreters() if os.access(harness.BINARY, os.X_OK) else []


@functools.lru_cache(maxsize=None)
def interpreter_kinds():
    return harness.one_of_each_kind(all_interpreters())


@functools.lru_cache(maxsize=None)
def find_shared():
    """An interpreter with a shared libpython, or None."""
    return next((found for found in all_interpreters() if found.shared), None)


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call():
    """What `fthreadprof race` runs is no part of the test that runs it."""
    os.environ.pop("PYTEST_CURRENT_TEST", None)


@pytest.hookimpl(tryfirst=True)  # before `-m` chooses
def pytest_collection_modifyitems(items):
    """Ends a run that would test too little. Without an interpreter with a shared libpython, its tests
    belong to the full suite, for which tools/setup builds one."""
    for item in items:
        if "shared_interpreter" in item.fixturenames and not find_shared():
            item.add_marker(pytest.mark.full)
    if not any(item.path.name.startswith("test_record_") for item in items):
        return
    if not os.access(harness.BINARY, os.X_OK):
        pytest.exit(f"{harness.BINARY} is missing: build it with tools/build", returncode=2)
    if not any(kind.free_threaded for kind in interpreter_kinds()):
        advice = "`fthreadprof interpreter build` makes one"
        pytest.exit(f"no free-threaded interpreter found: {advice}", returncode=2)


def pytest_terminal_summary(terminalreporter):
    if not interpreter_kinds.cache_info().currsize:
        return
    found = {interpreter.kind for interpreter in interpreter_kinds()}
    tested = ", ".join(f"{i.kind} ({i.version})" for i in interpreter_kinds())
    missing = ", ".join(kind for kind in harness.WANTED_KINDS if kind not in found)
    terminalreporter.write_line(f"Interpreters tested: {tested}; not found: {missing or 'none'}")


def pytest_sessionfinish():
    harness.remove_copies()


def pytest_generate_tests(metafunc):
    """`interpreter`: one of each minor version and build; a test marked two_kinds_suffice runs on a
    free-threaded and a GIL one by default, and on the others in the full suite."""
    if "interpreter" in metafunc.fixturenames:
        kinds = interpreter_kinds()
        if metafunc.definition.get_closest_marker("two_kinds_suffice"):
            chosen = {*kinds[:1], *kinds[-1:]}  # free-threaded ones come first
        else:
            chosen = set(kinds)
        parameters = [
            pytest.param(kind, id=kind.kind, marks=() if kind in chosen else pytest.mark.full)
            for kind in kinds
        ]
        metafunc.parametrize("interpreter", parameters, scope="session")


@pytest.fixture(scope="session")
def any_interpreter():
    """A free-threaded one, for what does not depend on the interpreter."""
    return interpreter_kinds()[0]


@pytest.fixture(scope="session")
def shared_interpreter():
    """One with a shared libpython."""
    return find_shared() or pytest.fail(
        "no interpreter with a shared libpython found: `tools/setup --interpreters --full` builds one"
    )


@pytest.fixture
def interpreter_directory(interpreter):
    """A directory that the interpreter sees, as it sees it."""
    directory = interpreter.make_directory()
    yield directory
    shutil.rmtree(interpreter.outside(directory))


@pytest.fixture
def spinner(any_interpreter):
    with harness.Target(any_interpreter, "spin.py") as target:
        yield target
