"""Every thread is there, with its OS id and its full Python name."""

import re

import harness
import pytest


def names_by_tid(summary):
    return {thread["tid"]: thread["name"] for thread in summary["threads"]}


def test_names_of_threads_of_every_origin(interpreter, tmp_path):
    with harness.Target(interpreter, "threads.py") as target:
        options = ("-p", target.pid, "-d", 1, "-r", 100, "--mode", "wall", "--threads")
        recording = harness.record(tmp_path, *options).check()
    expected = {int(tid): name for tid, name in target.facts["threads"].items()}
    assert names_by_tid(recording.summary()) == expected
    roots = {stack.thread.tid: stack.thread.name for stack in recording.stacks()}
    assert set(roots) == set(expected)
    plain = {tid: name for tid, name in expected.items() if not re.search(r"[;\n]", name)}
    assert {tid: roots[tid] for tid in plain} == plain


def test_threads_that_start_and_die_a_thousand_times_a_second(interpreter, tmp_path):
    seconds = 2
    with harness.Target(interpreter, "churn.py") as target:
        options = ("-p", target.pid, "-d", seconds, "--mode", "wall", "--threads")
        recording = harness.record(tmp_path, *options).check()
        truth = target.stop()
    source = (harness.TARGETS / "churn.py").read_text().splitlines()
    innermost_line = next(n for n, text in enumerate(source, 1) if "# the innermost line" in text)
    sleeping = {}  # tid and name -> samples in the innermost line
    for stack in recording.stacks():
        depth = stack.names().count("body")
        if depth == 0 or stack.frames[-1].line != innermost_line:
            continue
        name = re.fullmatch(r"churn-(\d+)", stack.thread.name)
        if name:
            assert depth == int(name[1]) % 7 + 1, f"a stack under another thread's name: {stack}"
        sleeping[stack.thread] = sleeping.get(stack.thread, 0) + stack.count
    nameless = [t for t, count in sleeping.items() if count >= 2 and "churn-" not in t.name]
    sampling = recording.summary()["sampling"]
    # A name can only be missed by a profiler that had to wait for a CPU between a thread's samples and the
    # reading of the names, and so was late.
    bound = min(sampling["late"], len(sleeping) / 500)
    assert len(nameless) <= bound, f"{len(nameless)} of {len(sleeping)}: {nameless[:5]}, {sampling}"
    # Each thread sleeps 4 ms, so that 1 kHz cannot miss it unless it falls behind.
    alive = truth["started"] / truth["seconds"] * seconds
    assert alive > 250 * seconds, truth  # a busy machine starts fewer
    met = sampling["passes"] / (sampling["passes"] + sampling["late"])
    assert len(sleeping) > 0.8 * met * alive, (len(sleeping), alive, sampling)


def test_thread_ids_in_collapsed_stacks_are_those_of_the_summary(any_interpreter, tmp_path):
    with harness.Target(any_interpreter, "spin.py", 3) as target:
        options = ("-p", target.pid, "-d", 1, "--threads")
        recording = harness.record(tmp_path, *options).check()
        target.kill()
    summary = names_by_tid(recording.summary())
    roots = {stack.thread.tid: stack.thread.name for stack in recording.stacks()}
    assert roots == summary
    assert sorted(roots.values()) == ["MainThread", "spinner-0", "spinner-1", "spinner-2"]
    assert target.pid in roots


@pytest.mark.full
def test_two_hundred_threads(interpreter, tmp_path):
    with harness.Target(interpreter, "spin.py", 200) as target:
        recording = harness.record(tmp_path, "-p", target.pid, "-d", 3, "-r", 50).check()
        target.kill()
    assert len(recording.summary()["threads"]) == 201
