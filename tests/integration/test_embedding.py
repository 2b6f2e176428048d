"""The library for embedders, as one meets it: installed, found by CMake, with the example of
docs/embedding.md as it stands there."""

import re
import subprocess

import harness
import pytest
from harness import ROOT, Target

BUILD = ROOT / "build/release"


def blocks_of(page, language):
    return re.findall(rf"^```{language}\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)


def run(*command):
    result = subprocess.run(list(map(str, command)), capture_output=True, text=True, timeout=300)
    assert result.returncode == 0, f"{command}: {result.stdout}{result.stderr}"
    return result.stdout


@pytest.fixture(scope="module")
def example(tmp_path_factory):
    """The example of the page, built against an installed library."""
    directory = tmp_path_factory.mktemp("embedding")
    run("cmake", "--install", BUILD, "--component", "development", "--prefix", directory / "installed")
    page = (ROOT / "docs/embedding.md").read_text()
    (directory / "main.cc").write_text(blocks_of(page, "cpp")[0])
    (directory / "CMakeLists.txt").write_text(blocks_of(page, "cmake")[0])
    options = [f"-DCMAKE_PREFIX_PATH={directory / 'installed'}", "-DCMAKE_CXX_COMPILER=clang++-19"]
    run("cmake", "-G", "Ninja", "-S", directory, "-B", directory / "build", *options)
    run("cmake", "--build", directory / "build")
    return directory / "build/stacks"


def test_example_reads_and_samples_a_process(example, interpreter):
    with Target(interpreter, "spin.py", 2) as target:
        printed = run(example, target.pid)
    assert f"Python {interpreter.version}" in printed
    for name in ("spinner-0", "spinner-1"):
        assert re.search(rf"^{name} \(\d+\): \w+$", printed, re.MULTILINE), printed
    assert re.search(r"^  inner \(.*spin\.py:\d+\)$", printed, re.MULTILINE)
    assert re.search(r"^[1-9]\d* samples", printed, re.MULTILINE)


def test_example_says_why_it_cannot(example):
    result = subprocess.run([example, "999999999"], capture_output=True, text=True)
    assert result.returncode == 1
    assert "999999999" in result.stderr and result.stdout == ""


def test_library_exports_only_its_interface():
    library = BUILD / "libfthreadprof.so"
    defined = run("nm", "--dynamic", "--defined-only", "--demangle", library)
    names = [line.split(" ", 2)[2] for line in defined.splitlines()]
    ours = [name for name in names if "fthreadprof::" in name or "absl::" in name]
    assert any(name.startswith("fthreadprof::Target::Attach") for name in ours)
    assert all(name.startswith("fthreadprof::Target::") for name in ours), ours
