"""Reads collapsed stacks, and judges whether a target could ever have had them."""

import ast
import re
from collections import Counter, defaultdict
from typing import NamedTuple, Optional


class Frame(NamedTuple):
    function: str
    file: str
    line: int  # 0: an instruction that has none

    def __str__(self):
        return f"{self.function} ({self.file}:{self.line})"


class ThreadRoot(NamedTuple):
    name: str
    tid: int


class ProcessRoot(NamedTuple):
    pid: int
    command: str


class Stack(NamedTuple):
    """A line of collapsed stacks; `process` is None without --subprocesses, `thread` without --threads.
    `interpreter` is 0 but for subinterpreters."""

    thread: Optional[ThreadRoot]
    frames: tuple
    count: int
    process: Optional[ProcessRoot] = None
    interpreter: int = 0

    def names(self):
        return [frame.function for frame in self.frames]

    def __str__(self):
        return ";".join(map(str, self.frames))


FRAME = re.compile(r"(.+?) \((.*?)(?::(\d+))?\)")
PROCESS = re.compile(r"process (\d+) (.*)")
INTERPRETER = re.compile(r"interpreter (\d+)")
THREAD = re.compile(r"thread (.*) \((\d+)\)")


def parse_frame(text):
    match = FRAME.fullmatch(text)
    assert match, f"not `function (file:line)`: {text!r}"
    return Frame(match[1], match[2], int(match[3] or 0))


def parse_collapsed(text):
    """The Stacks of a collapsed file; asserts that each line is one."""
    stacks = []
    for line in text.split("\n")[:-1]:
        path, space, count = line.rpartition(" ")
        assert space and count.isdigit() and int(count) > 0, f"no count: {line!r}"
        frames = path.split(";")
        roots = []
        for pattern in (PROCESS, THREAD, INTERPRETER):
            match = pattern.fullmatch(frames[0])
            roots.append(match)
            frames = frames[1:] if match else frames
        process, thread, interpreter = roots
        process = process and ProcessRoot(int(process[1]), process[2])
        thread = thread and ThreadRoot(thread[1], int(thread[2]))
        interpreter = int(interpreter[1]) if interpreter else 0
        parsed = tuple(map(parse_frame, frames))
        stacks.append(Stack(thread, parsed, int(count), process, interpreter))
    assert text == "" or text.endswith("\n"), "the last line has no end"
    return stacks


def share_of(stacks, first, *others):
    """Samples with a function that matches regex `first`, as a share of those that match any."""
    counts = Counter()
    for stack in stacks:
        for pattern in (first, *others):
            if any(re.fullmatch(pattern, name) for name in stack.names()):
                counts[pattern] += stack.count
    assert counts, f"none of {(first, *others)} in {len(stacks)} stacks"
    return counts[first] / sum(counts.values())


class _Function:
    def __init__(self, node):
        self.lines = range(node.lineno, node.end_lineno + 1)
        self.calls = defaultdict(set)  # line -> names


def _functions_of(source):
    """name -> _Function of a source without nested functions, with the calls on each of its lines."""
    comments = {
        number: set(line.split("# calls:")[1].split())
        for number, line in enumerate(source.splitlines(), 1)
        if "# calls:" in line
    }
    functions = {}
    for node in ast.parse(source).body:
        if not isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            continue
        function = functions[node.name] = _Function(node)
        for call in ast.walk(node):
            if isinstance(call, ast.Call) and isinstance(call.func, ast.Name):
                function.calls[call.lineno].add(call.func.id)
        for line in function.lines:
            function.calls[line] |= comments.get(line, set())
    return functions


class Grammar:
    """The stacks that a target can have: its call chains, and from its source the lines of the calls.

    sources: what a frame's file ends with -> its text. chains: every possible stack's names, from `entry`
    inwards, is a prefix of one. bootstrap: regex of the files whose frames may come before `entry`.
    """

    def __init__(self, sources, chains, entry, bootstrap=r".*/threading\.py"):
        self._functions = {suffix: _functions_of(text) for suffix, text in sources.items()}
        self._possible = {tuple(c[: n + 1]) for c in map(tuple, chains) for n in range(len(c))}
        self._entry = entry
        self._bootstrap = re.compile(bootstrap)

    def _function_of(self, frame):
        for suffix, functions in self._functions.items():
            if frame.file.endswith(suffix):
                return functions.get(frame.function)
        return None

    def is_inside(self, stack):
        return any(frame.function == self._entry for frame in stack.frames)

    def why_impossible(self, stack):
        """What is wrong with a stack, None when the target can have it."""
        names = stack.names()
        start = names.index(self._entry) if self._entry in names else len(names)
        for frame in stack.frames[:start]:
            if not self._bootstrap.fullmatch(frame.file):
                return f"{frame} outside of {self._entry}"
        frames = stack.frames[start:]
        if not frames:
            return None
        if tuple(names[start:]) not in self._possible:
            return "no such chain of calls"
        for frame, callee in zip(frames, (*frames[1:], None)):
            function = self._function_of(frame)
            if function is None:
                return f"{frame} is in no source"
            if frame.line == 0 and callee is None:
                continue
            if frame.line not in function.lines:
                return f"{frame.function} has no line {frame.line}"
            if callee and callee.function not in function.calls[frame.line]:
                return f"line {frame.line} of {frame.function} does not call {callee.function}"
        return None


class Verdict(NamedTuple):
    samples: int  # judged: those inside the entry function
    impossible: int
    examples: str  # the most frequent impossible stacks, for a person


def judge(stacks, grammar):
    bad = [(stack, why) for stack in stacks if (why := grammar.why_impossible(stack))]
    bad.sort(key=lambda pair: -pair[0].count)
    inside = sum(stack.count for stack in stacks if grammar.is_inside(stack))
    examples = [f"  {stack.count} x {why}:\n    {stack}" for stack, why in bad[:5]]
    return Verdict(inside, sum(stack.count for stack, _ in bad), "\n".join(examples))
