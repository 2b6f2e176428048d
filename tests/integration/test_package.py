"""What users install: the wheel, the Debian package, the library for embedders. Each is tried where it
is new: a fresh environment, a bare Debian root, a directory of its own."""

import os
import pathlib
import re
import shutil
import subprocess

import harness
import pytest
from harness import ROOT, Target

PACKAGE = ROOT / "build/package"
CACHE = pathlib.Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser() / "fthreadprof"
C_LIBRARY = {"linux-vdso.so.1", "libc.so.6", "libm.so.6", "ld-linux-x86-64.so.2"}
BUILD_TIMEOUT_S = 3000

pytestmark = pytest.mark.full


def run(*command, **keywords):
    result = subprocess.run(
        list(map(str, command)), capture_output=True, text=True, timeout=600, **keywords
    )
    assert result.returncode == 0, f"{command}: {result.stdout}{result.stderr}"
    return result.stdout


@pytest.fixture(scope="module")
def packages():
    """The files that tools/package makes, by their ending."""
    subprocess.run([ROOT / "tools/package", "all"], check=True, timeout=BUILD_TIMEOUT_S)
    patterns = {"whl": "*.whl", "deb": "*.deb"}
    return {name: next(PACKAGE.glob(pattern)) for name, pattern in patterns.items()}


def libraries_of(program):
    found = run("ldd", program)
    return {pathlib.Path(line.split()[0]).name for line in found.splitlines()}


def check_recording(program, interpreter, directory):
    """A real process is recorded, by exactly this program."""
    with Target(interpreter, "spin.py", 1) as target:
        run(program, "record", "-q", "-p", target.pid, "-d", 0.3, "-o", directory / "o.folded")
    stacks = harness.parse_collapsed((directory / "o.folded").read_text())
    assert any("inner" in stack.names() for stack in stacks)


@pytest.mark.two_kinds_suffice
def test_wheel_in_a_fresh_environment(packages, interpreter, tmp_path):
    run("/usr/bin/python3", "-m", "venv", tmp_path / "venv")
    run(tmp_path / "venv/bin/pip", "install", "--no-index", packages["whl"])
    program = tmp_path / "venv/bin/fthreadprof"
    assert run(program, "--version").startswith("fthreadprof ")
    assert libraries_of(program) <= C_LIBRARY
    check_recording(program, interpreter, tmp_path)
    coverage = run(program, "race", "--coverage", env={**os.environ, "FTHREADPROF_RESOURCES": ""})
    assert "list" in coverage  # from its own tables, below the environment's share/


def test_wheel_by_auditwheel(packages):
    verdict = re.sub(r"\s+", " ", run(CACHE / "tools/bin/auditwheel", "show", packages["whl"]))
    tag = re.search(r'platform tag: "(manylinux_2_\d+_x86_64)"', verdict)
    assert tag and tag[1] in packages["whl"].name
    assert packages["whl"].name.endswith(f"-py3-none-{tag[1]}.whl")


def test_debian_package_says_what_it_needs(packages):
    control = run("dpkg-deb", "--field", packages["deb"])
    depends = re.search(r"^Depends: (.*)$", control, re.MULTILINE)[1]
    # The plugin shares libstdc++ with the clang that loads it; the program does without.
    assert {word.split()[0] for word in depends.split(", ")} <= {"libc6", "libstdc++6", "libgcc-s1"}
    assert "clang-19" in re.search(r"^Recommends: (.*)$", control, re.MULTILINE)[1]
    files = run("dpkg-deb", "--contents", packages["deb"])
    for path in (
        "usr/bin/fthreadprof",
        "usr/share/man/man1/fthreadprof-record.1",
        "usr/share/bash-completion/completions/fthreadprof",
        "usr/share/fthreadprof/fthreadprof_race_pass.so",
        "usr/share/fthreadprof/runtime/runtime.cc",
        "usr/share/doc/fthreadprof/copyright",
        "usr/share/doc/fthreadprof/licenses/libprotozero-dev",
    ):
        assert path in files


@pytest.fixture
def bare_root(tmp_path):
    """A copy of Debian with nothing but what is essential, and Python; needs root."""
    if os.geteuid() != 0:
        pytest.fail("only root can install into a root: run the full tests as root")
    subprocess.run([ROOT / "tools/setup", "--bare-root"], check=True, timeout=BUILD_TIMEOUT_S)
    root = tmp_path / "root"
    run("cp", "--archive", "--reflink=auto", CACHE / "bare-root", root)
    yield root
    shutil.rmtree(root)


def test_debian_package_in_a_bare_root(packages, bare_root):
    shutil.copy(packages["deb"], bare_root / "tmp")
    package = f"/tmp/{packages['deb'].name}"
    run("chroot", bare_root, "dpkg", "--install", package)
    assert run("chroot", bare_root, "fthreadprof", "--version").startswith("fthreadprof ")
    refused = subprocess.run(
        ["chroot", bare_root, "fthreadprof", "record", "-p", "999999999"],
        capture_output=True,
        text=True,
    )
    assert refused.returncode == 125 and "999999999" in refused.stderr
    # What `race` needs in addition is said by name, and its own files are found: they are asked for first.
    refused = subprocess.run(
        ["chroot", bare_root, "fthreadprof", "race", "--", "python3", "-c", ""],
        capture_output=True,
        text=True,
    )
    assert refused.returncode == 125 and "clang-19" in refused.stderr
    run("chroot", bare_root, "dpkg", "--remove", "fthreadprof")
    assert not (bare_root / "usr/bin/fthreadprof").exists()


def test_wheel_in_a_bare_root(packages, bare_root):
    shutil.copy(packages["whl"], bare_root / "tmp")
    wheel = f"/tmp/{packages['whl'].name}"
    run("chroot", bare_root, "python3", "-m", "venv", "/venv")
    run("chroot", bare_root, "/venv/bin/pip", "install", "--no-index", wheel)
    assert run("chroot", bare_root, "/venv/bin/fthreadprof", "--version").startswith("fthreadprof ")
