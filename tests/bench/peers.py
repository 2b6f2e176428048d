"""The profilers that the benchmark runs side by side: how each is told to record a process, and what it then
says it saw, in one form for all.

A profiler is an object with
  name            for the table
  command(...)    its command line: sample `pid` at `rate` a second, for `seconds`, into `output`
  read(...)       a Result, from what it wrote and printed
  starts_with     None, or what it prints when it begins to sample: such a one is ended by SIGINT, for when it
                  is late it takes longer than it was told
  exit_statuses   of a recording that went well
A peer runs in the target's root (see Place), for each looks for the interpreter's files there.
"""

import json
import pathlib
import re
from collections import Counter
from typing import NamedTuple

from stacks import Frame  # of tests/integration

TOP_RATE = 1_000_000  # more than any of them takes


class Result(NamedTuple):
    """What a recording holds."""

    stacks: Counter  # tuple of Frame, outermost first -> samples
    dropped: int  # samples that it says it lost
    seconds: float  # of sampling


class Place(NamedTuple):
    """Where targets and peers run: in the root directory `root` ("" is ours) by chroot. The rest is
    as seen inside."""

    root: str
    targets: str
    tools: str  # the bin directory of the peers' environment
    output: str

    def command(self, *arguments):
        return [*(["chroot", self.root] if self.root else []), *map(str, arguments)]

    def outside(self, path):
        return pathlib.Path(f"{self.root}{path}")


def read_collapsed(text, frame_pattern, first_frame=0):
    """{stack: samples} of `frame;frame count` lines; the pattern has the groups function, file, line."""
    pattern = re.compile(frame_pattern)
    known, stacks = {}, Counter()
    for row in text.splitlines():
        path, _, count = row.rpartition(" ")
        frames = []
        for piece in path.split(";")[first_frame:]:
            if piece not in known:
                match = pattern.fullmatch(piece)
                groups = match.groupdict() if match else {"function": piece}
                known[piece] = Frame(
                    groups["function"], groups.get("file") or "", int(groups.get("line") or 0)
                )
            frames.append(known[piece])
        stacks[tuple(frames)] += int(count)
    return stacks


FUNCTION_AND_PLACE = r"(?P<function>.+?) \((?P<file>.*?)(?::(?P<line>\d+))?\)"


class Ours:
    name = "fthreadprof"
    starts_with = None
    exit_statuses = (0,)
    max_rate = 100_000  # what --rate takes

    def __init__(self, binary):
        self._binary = binary

    def command(self, pid, rate, seconds, place):
        output = place.outside(place.output)
        return [
            self._binary, "record", "-q", "-p", str(pid), "-d", str(seconds), "--mode", "wall",
            "-r", str(min(rate, self.max_rate)), "-o", str(output / "out.folded"),
            "--summary", str(output / "summary.json"),
        ]  # fmt: skip

    def read(self, place, printed, seconds):
        output = place.outside(place.output)
        sampling = json.loads((output / "summary.json").read_text())["sampling"]
        stacks = read_collapsed((output / "out.folded").read_text(), FUNCTION_AND_PLACE)
        return Result(stacks, sampling["torn"], sampling["duration_s"])


class PySpy:
    starts_with = "Sampling process"
    exit_statuses = (0,)

    def __init__(self, blocking):
        self.name = "py-spy, stopping the target" if blocking else "py-spy"
        self._options = [] if blocking else ["--nonblocking"]

    def command(self, pid, rate, seconds, place):
        return place.command(
            f"{place.tools}/py-spy", "record", "-p", pid, "-r", rate, "--idle", *self._options,
            "-f", "raw", "-o", f"{place.output}/out.raw",
        )  # fmt: skip

    def read(self, place, printed, seconds):
        text = (place.outside(place.output) / "out.raw").read_text()
        errors = re.search(r"Errors: (\d+)", printed)
        stacks = read_collapsed(text, FUNCTION_AND_PLACE)
        return Result(stacks, int(errors[1]) if errors else 0, seconds)


class ProfilingSampling:
    name = "profiling.sampling"
    starts_with = None
    exit_statuses = (0,)

    def __init__(self, python):
        self._python = python

    def command(self, pid, rate, seconds, place):
        return place.command(
            self._python, "-m", "profiling.sampling", "attach", "--all-threads", "--no-gc",
            "-r", rate, "-d", seconds, "--collapsed", "-o", f"{place.output}/out.collapsed", pid,
        )  # fmt: skip

    def read(self, place, printed, seconds):
        text = (place.outside(place.output) / "out.collapsed").read_text()
        captured = re.search(r"Captured ([\d,.]+) samples? in ([\d.]+)", printed)
        lost = re.search(r"Error rate: ([\d.]+)", printed)
        if not captured or not lost:
            raise ValueError(f"profiling.sampling printed {printed!r}")
        passes = int(re.sub(r"\D", "", captured[1]))
        pattern = r"(?P<file>.*):(?P<function>[^:]*):(?P<line>\d+)"
        stacks = read_collapsed(text, pattern, first_frame=1)
        return Result(stacks, round(passes * float(lost[1]) / 100), float(captured[2]))


class Austin:
    name = "Austin"
    starts_with = None
    exit_statuses = (0, 254)  # 254: after --exposure, when it was attached to a process

    def command(self, pid, rate, seconds, place):
        return place.command(
            f"{place.tools}/austin", "-p", pid, "-i", f"{max(1, round(1e6 / rate))}us",
            "-x", seconds, "-o", f"{place.output}/out.mojo",
        )  # fmt: skip

    def read(self, place, printed, seconds):
        stacks, dropped = read_mojo((place.outside(place.output) / "out.mojo").read_bytes())
        return Result(stacks, dropped, seconds)


# Austin's MOJO format: an event is a byte and its fields, a field a number of variable length or a
# string that ends in a zero. The library that reads it goes byte by byte, in minutes rather than seconds.
_NUMBER, _TEXT = rb"[\x80-\xff]*[\x00-\x7f]", rb"[^\x00]*\x00"
_MOJO = re.compile(
    b"|".join(
        (
            rb"(?P<refs>(?:\x05" + _NUMBER + rb")+)",
            rb"(?P<stack>\x02" + _NUMBER * 2 + _TEXT + rb")",
            rb"(?P<metric>[\x09\x0a]" + _NUMBER + rb")",
            rb"(?P<frame>\x03" + _NUMBER * 7 + rb")",
            rb"(?P<string>\x0b" + _NUMBER + _TEXT + rb")",
            rb"(?P<invalid>\x04)",
            rb"(?P<other>[\x07\x08]|\x0c" + _NUMBER + rb"|\x06" + _TEXT + rb"|\x01" + _TEXT * 2
            + rb")",
        )
    ),
    re.DOTALL,
)  # fmt: skip
_NUMBERS = re.compile(_NUMBER)


def _number(field):
    value = field[0] & 0x3F
    for i, byte in enumerate(field[1:]):
        value |= (byte & 0x7F) << (6 + 7 * i)
    return -value if field[0] & 0x40 else value


def read_mojo(content):
    """({stack: samples}, invalid samples) of a MOJO file of version 3."""
    if not content.startswith(b"MOJ\x03"):
        raise ValueError(f"not MOJO of version 3: {content[:8]!r}")
    strings, frames, invalid, position = {1: "<unknown>"}, {}, 0, 4
    counts = Counter()  # by the bytes that name the frames
    refs, broken = b"", False
    while position < len(content):
        match = _MOJO.match(content, position)
        if not match:  # the profiler was ended in the midst of an event
            break
        position, kind, event = match.end(), match.lastgroup, match[0]
        if kind == "refs":
            refs += event
        elif kind == "metric":
            counts[refs] += not broken
            invalid += broken
        elif kind == "stack":
            refs, broken = b"", False
        elif kind == "invalid":
            broken = True
        elif kind == "string":
            key = _NUMBERS.match(event, 1)
            strings[_number(key[0])] = event[key.end() : -1].decode(errors="replace")
        elif kind == "frame":
            key, file, function, line, *_ = map(_number, _NUMBERS.findall(event, 1))
            frames[key] = Frame(strings.get(function, "?"), strings.get(file, "?"), line)
    if position < len(content) - 4096:
        raise ValueError(f"not MOJO at {position} of {len(content)}")
    stacks = Counter()
    for refs, count in counts.items():
        if count:
            keys = re.findall(rb"\x05(" + _NUMBER + rb")", refs)
            stacks[tuple(frames[_number(key)] for key in keys)] += count
    return stacks, invalid
