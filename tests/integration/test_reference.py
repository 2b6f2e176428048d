"""Man pages and shell completion, which the program writes from its own parser, tried with the tools that read
them."""

import re
import shutil
import subprocess

import pytest
from harness import run_tool

COMPLETION = {
    "bash": "bash-completion/completions/fthreadprof",
    "zsh": "zsh/site-functions/_fthreadprof",
    "fish": "fish/vendor_completions.d/fthreadprof.fish",
}


@pytest.fixture(scope="module")
def reference(tmp_path_factory):
    directory = tmp_path_factory.mktemp("reference")
    written = run_tool("--write-reference", directory)
    assert written.returncode == 0, written.stderr
    return directory


def commands_of(*path):
    """The commands that --help lists."""
    text = run_tool(*path, "--help").stdout
    listed = text.partition("\nSubcommands:\n")[2].partition("\n\n")[0]
    return re.findall(r"^  (\w+) ", listed, re.MULTILINE)


def options_of(*path):
    """The long options that --help lists."""
    text = run_tool(*path, "--help").stdout
    names = re.findall(r"^  (-[-\w,]+)", text, re.MULTILINE)
    return {name for row in names for name in row.split(",") if name.startswith("--")}


def render(page):
    result = subprocess.run(["mandoc", "-T", "utf8", page], capture_output=True, text=True, check=True)
    return re.sub(".\b", "", result.stdout)  # bold is a letter printed twice


def test_a_page_for_the_program_and_each_command(reference):
    commands = commands_of()
    assert "record" in commands
    names = {page.name for page in (reference / "man/man1").iterdir()}
    assert names == {"fthreadprof.1", *(f"fthreadprof-{name}.1" for name in commands)}
    text = render(reference / "man/man1/fthreadprof.1")
    for name in commands:
        assert f"fthreadprof-{name}(1)" in text


def test_pages_are_well_formed(reference):
    for page in (reference / "man/man1").iterdir():
        lint = subprocess.run(
            ["mandoc", "-T", "lint", "-W", "warning", page], capture_output=True, text=True
        )
        complaints = [line for line in lint.stdout.splitlines() if "missing date" not in line]
        assert complaints == []


def test_pages_have_all_options_and_examples(reference):
    for name in commands_of():
        text = render(reference / f"man/man1/fthreadprof-{name}.1")
        for option in options_of(name):
            assert option in text, name
        help_text = run_tool(name, "--help").stdout
        for example in re.findall(r"^  (fthreadprof .*)$", help_text, re.MULTILINE):
            assert re.sub(r"\s+", " ", example) in re.sub(r"\s+", " ", text)


def complete_in_bash(script, *words):
    """What bash offers for the last of the words."""
    program = f"""source '{script}'
COMP_WORDS=("$@") COMP_CWORD=$(($# - 1))
_fthreadprof
printf '%s\\n' "${{COMPREPLY[@]}}"
"""
    command = ["bash", "--norc", "-c", program, "bash", *words]
    result = subprocess.run(command, capture_output=True, text=True, check=True)
    assert result.stderr == ""
    return set(result.stdout.split())


def test_bash_completes_commands_options_and_values(reference):
    script = reference / COMPLETION["bash"]
    assert complete_in_bash(script, "fthreadprof", "") >= {*commands_of(), "--help"}
    assert complete_in_bash(script, "fthreadprof", "rec") == {"record"}
    assert complete_in_bash(script, "fthreadprof", "record", "--") == options_of("record")
    modes = complete_in_bash(script, "fthreadprof", "record", "--mode", "")
    assert modes == {"active", "wall", "cpu", "gil"}
    assert complete_in_bash(script, "fthreadprof", "record", "-p", "1") >= {"1"}
    assert complete_in_bash(script, "fthreadprof", "interpreter", "b") == {"build"}
    inner = complete_in_bash(script, "fthreadprof", "interpreter", "build", "--")
    assert inner == options_of("interpreter", "build")
    assert complete_in_bash(script, "fthreadprof", "record", "-o", "") == set()  # files, by bash
    assert complete_in_bash(script, "fthreadprof", "record", "--", "pyth", "--") == set()


def test_bash_script_is_clean(reference):
    subprocess.run(["shellcheck", "--severity=warning", reference / COMPLETION["bash"]], check=True)


def test_fish_completes(reference):
    def offers(line):
        program = f"source '{reference / COMPLETION['fish']}'; complete -C '{line}'"
        result = subprocess.run(
            ["fish", "--no-config", "-c", program], capture_output=True, text=True, check=True
        )
        return {row.split("\t")[0] for row in result.stdout.splitlines()}

    assert offers("fthreadprof ") >= set(commands_of())
    assert offers("fthreadprof record --") >= options_of("record")
    assert offers("fthreadprof record --mode ") >= {"active", "wall", "cpu", "gil"}
    assert offers("fthreadprof interpreter ") >= set(commands_of("interpreter"))
    assert "--source" in offers("fthreadprof interpreter build --")


def test_zsh_completes(reference, tmp_path):
    """In a real zsh on a pseudo-terminal, by its own module for that."""
    functions = tmp_path / "functions"
    functions.mkdir()
    shutil.copy(reference / COMPLETION["zsh"], functions)
    program = f"""
zmodload zsh/zpty
zpty z zsh -f -i
send() {{ zpty -w z "$1" }}
wait_for() {{ local line; zpty -r z line "*$1*"; print -r -- "$line" }}
send 'fpath=({functions} $fpath); autoload -Uz compinit; compinit -u -D'
send "zstyle ':completion:*' list-prompt ''; LISTMAX=1000; PS1=''; print REA''DY"
wait_for READY
zpty -w -n z $'fthreadprof record --mode \\t'
wait_for wall
zpty -d z
"""
    result = subprocess.run(
        ["zsh", "-f", "-c", program], capture_output=True, text=True, timeout=60, check=True
    )
    assert "active" in result.stdout and "wall" in result.stdout


def test_a_directory_that_cannot_be_written(tmp_path):
    (tmp_path / "file").write_text("")
    result = run_tool("--write-reference", tmp_path / "file")
    assert result.returncode == 125
    assert result.stderr.startswith("fthreadprof: cannot write ")
