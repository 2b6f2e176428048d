"""The judge of stacks itself: it takes what is possible and refuses what is not."""

import pytest
from stacks import Frame, Grammar, Stack, judge, parse_collapsed, share_of

SOURCE = """\
def work():
    first(1)
    second(2)

def first(n):
    return leaf(n)

def second(n):
    return sorted([n], key=leaf)  # calls: leaf

def leaf(n):
    return n
"""
CHAINS = [["work", "first", "leaf"], ["work", "second", "leaf"]]


@pytest.fixture
def grammar():
    return Grammar({"/t.py": SOURCE}, CHAINS, "work")


def stack(*frames, count=1):
    return Stack(None, tuple(Frame(name, "/x/t.py", line) for name, line in frames), count)


def test_possible_stacks(grammar):
    bootstrap = Frame("Thread.run", "/lib/threading.py", 7)
    assert grammar.why_impossible(stack(("work", 2), ("first", 6), ("leaf", 12))) is None
    assert grammar.why_impossible(stack(("work", 3), ("second", 9), ("leaf", 11))) is None
    assert grammar.why_impossible(stack(("work", 3))) is None
    assert grammar.why_impossible(stack(("work", 2), ("first", 0))) is None
    inside = (bootstrap, *stack(("work", 1)).frames)
    assert grammar.why_impossible(Stack(None, inside, 1)) is None


@pytest.mark.parametrize(
    "frames, why",
    [
        ([("work", 2), ("second", 9)], "line 2 of work does not call second"),
        ([("work", 2), ("first", 5), ("leaf", 12)], "line 5 of first does not call leaf"),
        ([("work", 0), ("first", 6)], "work has no line 0"),
        ([("work", 2), ("leaf", 12)], "no such chain of calls"),
        ([("work", 2), ("first", 6), ("leaf", 12), ("leaf", 12)], "no such chain of calls"),
        ([("work", 2), ("first", 9)], "first has no line 9"),
        ([("first", 6)], "first (/x/t.py:6) outside of work"),
    ],
)
def test_impossible_stacks(frames, why, grammar):
    assert grammar.why_impossible(stack(*frames)) == why


def test_a_foreign_frame_inside_is_impossible(grammar):
    frames = (*stack(("work", 2)).frames, Frame("first", "/other.py", 6))
    assert "in no source" in grammar.why_impossible(Stack(None, frames, 1))


def test_judge_counts_samples(grammar):
    good, bad = stack(("work", 2), count=7), stack(("work", 2), ("leaf", 12), count=3)
    verdict = judge([good, bad], grammar)
    assert (verdict.samples, verdict.impossible) == (10, 3)
    assert "3 x no such chain" in verdict.examples


def test_parse_collapsed():
    text = "thread a (b) (12);<module> (/x y/t.py:3);f.<locals>.g (</:s>) 41\nf (a:1) 1\n"
    first, second = parse_collapsed(text)
    assert first.thread == ("a (b)", 12)
    assert first.frames == (("<module>", "/x y/t.py", 3), ("f.<locals>.g", "</:s>", 0))
    assert (first.count, second.count, second.thread) == (41, 1, None)
    for bad in ("f (a:1)\n", "f (a:1) 0\n", "f a:1 3\n", "f (a:1) 1", ";f (a:1) 1\n"):
        with pytest.raises(AssertionError):
            parse_collapsed(bad)


def test_share_of():
    stacks = [stack(("a_x", 1), ("s", 2), count=7), stack(("b_x", 1), count=3), stack(("c", 1))]
    assert share_of(stacks, "a_.*", "b_.*") == 0.7
    with pytest.raises(AssertionError):
        share_of(stacks, "d", "e")
