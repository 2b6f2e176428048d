"""Reported stacks are stacks that the target had: frames, lines, and nothing mixed from two moments."""

import importlib
import re

import harness
import pytest
from stacks import Frame, Grammar, judge


# In reuse.SOURCE. A module is also at the lines of the functions that it defines, and begins at line 1.
LINES_OF = {"inner": range(1, 5), "outer": range(5, 7), "<module>": (1, 5, 7)}


def load_target(name):
    """A target as a module; importing it does no work."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(harness.TARGETS))
        return importlib.import_module(name)


@pytest.fixture(scope="module")
def grammar():
    chains = load_target("chains")
    source = (harness.TARGETS / "chains.py").read_text()
    sources = {"/chains.py": source, chains.GENERATED_FILE: chains.GENERATED}
    bootstrap = r".*/(threading|chains|target)\.py"  # main is <module> of chains, or in ready()
    return Grammar(sources, chains.possible_chains(), "work", bootstrap)


@pytest.mark.parametrize("threads", [1, pytest.param(4, marks=pytest.mark.full)])
def test_no_impossible_stacks(threads, interpreter, tmp_path, grammar):
    """A stack that never was can be taken for proven, about once in ten such recordings on 3.13
    (docs/ARCHITECTURE.md): then it is in that recording again and again, and seldom in the next one."""
    for attempt in range(3):
        directory = tmp_path / str(attempt)
        directory.mkdir()
        try:
            return check_stacks(threads, interpreter, directory, grammar)
        except ImpossibleStacks:
            if attempt == 2:
                raise


class ImpossibleStacks(AssertionError):
    pass


def check_stacks(threads, interpreter, tmp_path, grammar):
    with harness.Target(interpreter, "chains.py", threads) as target:
        recorders = {}
        for rate in (1000, 10_000):
            (tmp_path / str(rate)).mkdir()
            options = ("-p", target.pid, "-d", 3, "-r", rate)
            recorders[rate] = harness.Recorder(tmp_path / str(rate), *options)
        recordings = [recorder.finish() for recorder in recorders.values()]
        target.stop()
    samples = impossible = passes = 0
    for recording in recordings:
        # A rate out of reach may be remarked upon, so stderr need not be empty.
        assert recording.status == 0, recording.stderr
        verdict = judge(recording.stacks(), grammar)
        sampling = recording.summary()["sampling"]
        assert sampling["torn"] < 0.01 * sampling["samples"], sampling
        samples, impossible = samples + verdict.samples, impossible + verdict.impossible
        passes += sampling["passes"]
        if impossible > samples / 10_000:
            raise ImpossibleStacks(f"{impossible} of {samples}:\n{verdict.examples}")
    # A busy machine gives fewer passes than were asked for, but each has a sample of each busy thread.
    assert samples > 0.95 * passes * threads, (samples, passes)
    assert samples > 5_000, (samples, passes)


def test_no_impossible_stacks_at_all_with_blocking(interpreter, tmp_path, grammar):
    with harness.Target(interpreter, "chains.py", 2) as target:
        recording = harness.record(tmp_path, "-p", target.pid, "-d", 3, "--blocking").check()
        target.stop()
    verdict = judge(recording.stacks(), grammar)
    assert (
        verdict.impossible == 0
    ), f"{verdict.impossible} of {verdict.samples}:\n{verdict.examples}"
    assert verdict.samples > 1000


def test_every_kind_of_frame(interpreter, tmp_path):
    with harness.Target(interpreter, "frames.py") as target:
        options = ("-p", target.pid, "-d", 1, "-r", 100, "--mode", "wall", "--threads")
        recording = harness.record(tmp_path, *options).check()
    found = {}
    for stack in recording.stacks():
        found.setdefault(stack.thread.tid, []).append(stack)
    for tid, expected in target.facts["stacks"].items():
        case, frames = expected["case"], tuple(Frame(*frame) for frame in expected["stack"])
        stacks = found.get(int(tid), [])
        assert [stack.frames[-30:] for stack in stacks] == [frames[-30:]], case
        assert stacks[0].frames == frames, case


def test_lines_of_a_loop(interpreter, tmp_path):
    with harness.Target(interpreter, "lines.py") as target:
        recording = harness.record(tmp_path, "-p", target.pid, "-d", 2).check()
        target.kill()
    source = (harness.TARGETS / "lines.py").read_text().splitlines()
    counts = {}
    for stack in recording.stacks():
        innermost = stack.frames[-1]
        assert innermost.function == "loop", str(stack)
        text = source[innermost.line - 1].strip() if innermost.line else "no line"
        counts[text] = counts.get(text, 0) + stack.count
    shares = {text: count / sum(counts.values()) for text, count in counts.items()}
    assert shares["total += sum(LONG)  # 60 %"] == pytest.approx(0.6, abs=0.06), shares
    assert shares["total += sum("] == pytest.approx(0.3, abs=0.05), shares
    assert shares["total += sum(SHORT[:1000])  # 10 %"] == pytest.approx(0.1, abs=0.05), shares


def test_function_option_leaves_lines_out(any_interpreter, tmp_path):
    with harness.Target(any_interpreter, "lines.py") as target:
        assert harness.record(tmp_path, "-p", target.pid, "-d", 1, "-F").status == 0
    lines = (tmp_path / "out.folded").read_text().splitlines()
    assert len(lines) == 1, lines
    assert not re.search(r":\d", lines[0]), lines


def test_reused_code_addresses_never_show_the_old_name(interpreter, tmp_path):
    reuse = load_target("reuse")
    with harness.Target(interpreter, "reuse.py") as target:
        recording = harness.record(tmp_path, "-p", target.pid, "-d", 3, "-r", 2000)
        rounds = target.stop()["rounds"]
    assert recording.status == 0, recording.stderr
    stacks = [stack for stack in recording.stacks() if "<round_" in str(stack)]
    seen = set()
    for stack in stacks:
        rounds_named = set(re.findall(r"(?:outer|inner|round)_(\d+)", str(stack)))
        assert len(rounds_named) == 1, f"names of several rounds: {stack}"
        i = int(rounds_named.pop())
        seen.add(i)
        for frame in stack.frames:
            if frame.file == f"<round_{i}>" and frame.line:
                lines = [
                    n + i % reuse.OFFSETS for n in LINES_OF[re.sub(r"_\d+$", "", frame.function)]
                ]
                begins = frame.function == "<module>" and frame.line == 1
                assert begins or frame.line in lines, f"{frame} in {stack}"
    # A long round lasts for several samples, however slow the machine: both its own time and the sampler's
    # grow. Of those, one in ten at least must come through; the short ones that do are more than asked for.
    assert len(seen) > rounds / 20 > 5, (len(seen), rounds)


def test_deep_chain_is_whole(any_interpreter, tmp_path):
    with harness.Target(any_interpreter, "split.py", "deep", 1) as target:
        recording = harness.record(tmp_path, "-p", target.pid, "-d", 1).check()
        target.stop()
    spinning = [stack for stack in recording.stacks() if stack.names()[-1] == "spin"]
    for stack in spinning:
        letter = stack.names()[-2][0]
        assert stack.names()[-51:] == [f"{letter}_deep"] * 50 + ["spin"]
    assert sum(stack.count for stack in spinning) > 500
