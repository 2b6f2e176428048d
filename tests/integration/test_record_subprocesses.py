"""--subprocesses follows whatever a process starts, each under its own frame; subinterpreters have theirs."""

import json
import os
import signal
import subprocess
import time
from collections import Counter, defaultdict

import harness
import pytest


def record_tree(directory, interpreter, *arguments, options=(), **keywords):
    command = interpreter.command(*harness.script(interpreter, "tree.py", *arguments))
    return harness.record_command(directory, interpreter, command, "-s", *options, **keywords)


def samples_by_process(recording):
    """pid -> function -> samples with it in their stack."""
    result = defaultdict(Counter)
    for stack in recording.stacks():
        for name in set(stack.names()):
            result[stack.process.pid][name] += stack.count
    return result


def check_consistent(recording):
    """The summary and the stacks tell of the same processes."""
    summary = recording.summary()
    pids = [process["pid"] for process in summary["processes"]]
    assert {stack.process.pid for stack in recording.stacks()} <= set(pids)
    assert {thread["pid"] for thread in summary["threads"]} <= set(pids)
    samples = sum(thread["samples"] for thread in summary["threads"])
    assert samples == summary["sampling"]["samples"]
    total = sum(process["cpu_s"] for process in summary["processes"])
    assert total == pytest.approx(summary["process"]["cpu_s"])
    return summary


@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
def test_pools_of_every_start_method(method, any_interpreter, tmp_path):
    recording = record_tree(tmp_path, any_interpreter, "pool", method, 1)
    assert recording.status == 0, recording.stderr
    workers = set(json.loads(recording.stdout))
    samples = samples_by_process(recording)
    working = {pid for pid, names in samples.items() if names["pool_task"] > 0}
    assert working == workers
    summary = check_consistent(recording)
    parents = {process["pid"]: process["parent_pid"] for process in summary["processes"]}
    assert parents[summary["target"]["pid"]] == 0
    assert all(parents[pid] != 0 for pid in workers)


@pytest.mark.two_kinds_suffice
def test_thirty_two_workers_each_under_its_own_frame(interpreter, tmp_path):
    recording = record_tree(
        tmp_path, interpreter, "prefork", 32, 4, options=("-r", 200, "--mode", "wall")
    )
    assert recording.status == 0, recording.stderr
    functions = {int(pid): name for pid, name in json.loads(recording.stdout).items()}
    samples = samples_by_process(recording)
    for pid, own in functions.items():
        workers = {name for name in samples[pid] if name.startswith("worker_")}
        assert workers == {own}, f"process {pid} runs {own}: {samples[pid]}"
    summary = check_consistent(recording)
    assert len(summary["processes"]) == 33
    sampling = summary["sampling"]
    # All workers are in their function at the same time: each pass has a sample of each.
    counts = [samples[pid][own] for pid, own in functions.items()]
    assert min(counts) > 0.7 * max(counts), (counts, sampling)
    assert sampling["torn"] < 0.01 * sampling["samples"], sampling


def test_the_workers_of_a_running_process(any_interpreter, tmp_path):
    command = any_interpreter.command(
        *harness.script(any_interpreter, "tree.py", "prefork", 8, 600)
    )
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, start_new_session=True) as target:
        try:
            children = f"/proc/{target.pid}/task/{target.pid}/children"
            deadline = time.monotonic() + 60
            workers = []
            while len(workers) < 8:
                assert time.monotonic() < deadline, f"only {workers} were started"
                with open(children) as file:
                    workers = [int(pid) for pid in file.read().split()]
            options = ("-p", target.pid, "-s", "-d", 2, "--mode", "wall", "-t")
            recording = harness.record(tmp_path, *options).check()
        finally:
            os.killpg(target.pid, signal.SIGKILL)
    samples = samples_by_process(recording)
    for pid in workers:
        assert any(name.startswith("worker_") for name in samples[pid]), (pid, samples[pid])
    assert all(stack.thread for stack in recording.stacks())


@pytest.mark.two_kinds_suffice
def test_the_split_between_children_is_that_of_their_work(interpreter, tmp_path):
    recording = record_tree(tmp_path, interpreter, "split", 4.5, 1.5, options=("--mode", "wall"))
    assert recording.status == 0, recording.stderr
    totals = Counter()
    for pid, names in samples_by_process(recording).items():
        own = [name for name in names if name.startswith("child_")]
        assert len(own) <= 1, f"process {pid} has the stacks of another: {names}"
        for name in own:
            totals[name] += names[name]
    share = totals["child_a"] / sum(totals.values())
    assert abs(share - 0.75) < 0.04, (totals, recording.summary()["sampling"])


def other_kind(interpreter):
    """An interpreter of another version or build."""
    found = harness.one_of_each_kind(harness.find_interpreters())
    return next(other for other in found if other.kind != interpreter.kind)


@pytest.mark.parametrize("how", ["run", "exec"])
def test_another_version(how, any_interpreter, tmp_path):
    other = other_kind(any_interpreter)
    command = other.command(*harness.script(other, "exits.py", 7, 1))
    recording = record_tree(tmp_path, any_interpreter, how, *command)
    assert recording.status == 7, recording.stderr
    by_function = {}
    for stack in recording.stacks():
        for name in stack.names():
            by_function.setdefault(name, set()).add(stack.process)
    (before,) = by_function[f"before_{how}"]
    (after,) = by_function["spin_until"]
    assert (before.pid == after.pid) == (how == "exec")
    assert "tree.py" in before.command and "exits.py" in after.command
    versions = {(p["python"], p["free_threaded"]) for p in check_consistent(recording)["processes"]}
    wanted = {(i.version, i.free_threaded) for i in (any_interpreter, other)}
    assert versions == wanted


@pytest.mark.parametrize("script", ["exec {}", "{}; exit $?", "sh -c '{}'; exit $?"])
def test_a_shell_that_starts_python(script, any_interpreter, tmp_path):
    python = " ".join(any_interpreter.command(*harness.script(any_interpreter, "exits.py", 5, 1)))
    command = ["sh", "-c", script.format(python)]
    recording = harness.record_command(tmp_path, any_interpreter, command, "-s")
    assert recording.status == 5, recording.stderr
    (process,) = {s.process for s in recording.stacks() if "spin_until" in s.names()}
    assert "exits.py" in process.command
    assert recording.stderr == ""


def test_a_grandchild_that_lost_its_parents(any_interpreter, tmp_path):
    recording = record_tree(tmp_path, any_interpreter, "orphan", 3, 2)
    assert recording.status == 3, recording.stderr
    samples = samples_by_process(recording)
    (leaf,) = [pid for pid, names in samples.items() if names["orphan_leaf"] > 0]
    # The root had ended long before: its child waits for nothing.
    sampling = recording.summary()["sampling"]
    assert samples[leaf]["orphan_leaf"] > 0.5 * 2 * sampling["achieved_hz"], sampling


def test_children_of_fifty_milliseconds(any_interpreter, tmp_path):
    recording = record_tree(tmp_path, any_interpreter, "brief", 40, 0.05)
    assert recording.status == 0, recording.stderr
    seen = [pid for pid, names in samples_by_process(recording).items() if names["brief"] > 0]
    assert len(seen) >= 30, recording.summary()["sampling"]


def test_a_tree_without_python_says_so(tmp_path):
    recording = harness.record(tmp_path, "-s", "--", "sh", "-c", "true; exit 0")
    assert recording.status == harness.FAILED
    assert "ended before any Python code of it, or of what it started, was seen" in recording.stderr
    assert len(recording.stderr.splitlines()) == 1, recording.stderr


def test_without_the_option_children_are_left_alone(any_interpreter, tmp_path):
    command = any_interpreter.command(
        *harness.script(any_interpreter, "tree.py", "prefork", 2, 1)
    )
    recording = harness.record_command(tmp_path, any_interpreter, command, "--mode", "wall")
    assert recording.status == 0, recording.stderr
    assert not any(n.startswith("worker_") for s in recording.stacks() for n in s.names())
    assert all(stack.process is None for stack in recording.stacks())
    assert len(recording.summary()["processes"]) == 1


def test_blocking_stops_each_process_for_its_pass(any_interpreter, tmp_path):
    options = ("--blocking", "-r", 100, "--mode", "wall")
    recording = record_tree(tmp_path, any_interpreter, "prefork", 4, 2, options=options)
    assert recording.status == 0, recording.stderr
    functions = {int(pid): name for pid, name in json.loads(recording.stdout).items()}
    samples = samples_by_process(recording)
    assert all(samples[pid][name] > 0 for pid, name in functions.items()), samples
    assert recording.summary()["sampling"]["torn"] == 0


@pytest.mark.parametrize("config", ["isolated", "legacy"])
def test_subinterpreters_have_their_frame(config, interpreter, tmp_path):
    command = interpreter.command(*harness.script(interpreter, "interpreters.py", 2, config))
    recording = harness.record_command(
        tmp_path, interpreter, command, "-t", "--mode", "wall", outputs=("out.folded", "a.speedscope.json")
    )
    assert recording.status == 0, recording.stderr
    ids = json.loads(recording.stdout.removeprefix("ready "))["interpreters"]
    where = defaultdict(Counter)
    for stack in recording.stacks():
        for name in ("in_main", *ids):
            if name in stack.names():
                where[name][stack.interpreter] += stack.count
                assert name == "in_main" or f"calls-{name}" == stack.thread.name, stack
    assert {name: list(counts) for name, counts in where.items()} == {
        "in_main": [0],
        **{name: [number] for name, number in ids.items()},
    }
    threads = recording.summary()["threads"]
    waits = {
        number: max(t["states"]["gil_wait"] for t in threads if t["interpreter"] == number and t["samples"] > 200)
        for number in ids.values()
    }
    # Three busy threads on one GIL wait most of the time; each on its own never does.
    shares_gil = config == "legacy" and not interpreter.free_threaded
    assert all(wait > 0.3 if shares_gil else wait < 0.02 for wait in waits.values()), waits
    profiles = json.loads(recording.read("a.speedscope.json"))["profiles"]
    for number in ids.values():
        assert any(profile["name"].endswith(f", interpreter {number}") for profile in profiles)


def test_a_thread_counts_once_whatever_interpreters_it_is_in(interpreter, tmp_path):
    command = interpreter.command(*harness.script(interpreter, "interpreters.py", 2))
    recording = harness.record_command(tmp_path, interpreter, command, "--mode", "wall")
    assert recording.status == 0, recording.stderr
    samples = Counter()
    for thread in recording.summary()["threads"]:
        samples[thread["tid"]] += thread["samples"]
    passes = recording.summary()["sampling"]["passes"]
    assert max(samples.values()) <= passes, (samples, passes)
