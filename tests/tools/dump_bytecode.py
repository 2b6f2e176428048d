#!/usr/bin/env python3
"""Writes the bytecode of tests/data/race/snippets.py, as the interpreter that runs this compiles it, to
standard output, in the terms of a race log (include/fthreadprof/race_log.h).

    PYTHON tests/tools/dump_bytecode.py <tests/data/race/snippets.py >tests/data/race/bytecode-VERSION.json

Run it with a free-threaded 3.13 (bytecode-3.13t.json), 3.14 and 3.15. CPython's Python API tells only
what an instruction pushes less what it pops: that is what `popped` and `pushed` add up to.
"""
import dis
import json
import sys
import types


def instructions_of(code):
    rows = []
    for instruction in dis.get_instructions(code):
        if instruction.opname in ("CACHE", "EXTENDED_ARG"):
            continue
        has_argument = instruction.opcode >= dis.HAVE_ARGUMENT
        effect = dis.stack_effect(
            instruction.opcode, instruction.arg if has_argument else None, jump=False
        )
        target = instruction.jump_target if instruction.jump_target is not None else None
        rows.append(
            [
                instruction.offset // 2,
                instruction.opcode,
                instruction.arg or 0,
                max(0, -effect),
                max(0, effect),
                instruction.positions.lineno or 0,
                target // 2 if target is not None else -1,
            ]
        )
    return rows


def locals_of(code):
    """co_localsplus: locals (arguments that are cells among them), other cells, free variables."""
    names = [[name, 0x20] for name in code.co_varnames]
    for local in names:
        if local[0] in code.co_cellvars:
            local[1] |= 0x40
    names += [[name, 0x40] for name in code.co_cellvars if name not in code.co_varnames]
    return names + [[name, 0x80] for name in code.co_freevars]


def expectations_of(code, lines):
    found = []
    for number in sorted({row[5] for row in instructions_of(code)}):
        line = lines[number - 1] if 0 < number <= len(lines) else ""
        if "#:" in line and number > 0:
            found += [[number, text.strip()] for text in line.split("#:")[1].split(";")]
    return found


def codes_of(code):
    yield code
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            yield from codes_of(constant)


def dump(code, lines):
    plain = (type(None), bool, int, float, str, bytes, tuple)
    arguments = code.co_argcount + code.co_kwonlyargcount
    arguments += bool(code.co_flags & 0x04) + bool(code.co_flags & 0x08)
    return {
        "function": code.co_qualname,
        "first_line": code.co_firstlineno,
        "arguments": arguments,
        "locals": locals_of(code),
        "names": list(code.co_names),
        "constants": [repr(c) if isinstance(c, plain) else "" for c in code.co_consts],
        "instructions": instructions_of(code),
        "expected": expectations_of(code, lines),
    }


def main():
    source = sys.stdin.read()
    lines = source.splitlines()
    opcodes = {
        number: name for number, name in enumerate(dis.opname) if not name.startswith("<")
    }
    print('{"opcodes":', json.dumps({n: o for n, o in opcodes.items() if n < 256}), ',"codes":[')
    rows = [json.dumps(dump(c, lines), separators=(",", ":")) for c in codes_of(compile(source, "snippets.py", "exec"))]
    print(",\n".join(rows))
    print("]}")


main()
