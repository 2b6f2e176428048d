"""`fthreadprof interpreter`, on a tiny tree that configure and make take for CPython's source."""

import json
import os
import pathlib
import shutil
import subprocess
import tarfile

import harness
import pytest

CONFIGURE = """#!/bin/sh
free_threaded=0
for argument in "$@"; do
  case $argument in
    --prefix=*) prefix=${argument#--prefix=} ;;
    --disable-gil) free_threaded=1 ;;
  esac
done
sed -e "s|@PREFIX@|$prefix|" -e "s|@ANSWER@|cpython $(cat VERSION) $free_threaded|" \\
  Makefile.pre.in >Makefile
"""

MAKEFILE = """
all:
\techo built >>$$BUILD_LOG
\tif [ -n "$$AT_WORK" ]; then echo at work >$$AT_WORK; read word <$$GO_ON; fi
\tprintf '#!/bin/sh\\necho @ANSWER@\\n' >python
\tchmod +x python
install:
\tmkdir -p $(DESTDIR)@PREFIX@/bin
\tcp python $(DESTDIR)@PREFIX@/bin/python3
"""


def write(path, text, executable=False):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    if executable:
        path.chmod(0o755)
    return path


def write_python(path, version, free_threaded=False):
    """A script that answers as a CPython would."""
    return write(path, f"#!/bin/sh\necho cpython {version} {int(free_threaded)}\n", executable=True)


def write_source(tree, version):
    write(tree / "Include/patchlevel.h", f'#define PY_VERSION "{version}"\n')
    write(tree / "VERSION", version + "\n")
    write(tree / "configure", CONFIGURE)
    write(tree / "Makefile.pre.in", MAKEFILE)
    return tree


class Home:
    """A home directory without any interpreter, and a fake source in it."""

    def __init__(self, top):
        self.top = top
        self.source = write_source(top / "source", "3.13.9")
        self.interpreters = top / "home/.cache/fthreadprof/interpreters"
        self.build_log = top / "builds"  # a line for each build
        self.environment = {
            "HOME": str(top / "home"),
            "PATH": "/usr/sbin:/usr/bin:/sbin:/bin",
            "CC": str(write(top / "cc", "#!/bin/sh\necho cc 1\n", executable=True)),
            "BUILD_LOG": str(self.build_log),
        }

    def run(self, *arguments, **variables):
        return harness.run_tool("interpreter", *arguments, env={**self.environment, **variables})

    def start(self, *arguments, **variables):
        return subprocess.Popen(
            [harness.BINARY, "interpreter", *map(str, arguments)],
            env={**self.environment, **variables},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def build(self, *arguments, **variables):
        result = self.run("build", "--source", self.source, *arguments, **variables)
        assert result.returncode == 0, result.stderr
        return pathlib.Path(result.stdout.strip())

    def list(self, **variables):
        result = self.run("list", "--json", **variables)
        assert result.returncode == 0, result.stderr
        return json.loads(result.stdout)

    def builds(self):
        return len(self.build_log.read_text().splitlines())


@pytest.fixture
def home(tmp_path):
    return Home(tmp_path)


class HeldBuild:
    """A build that has come to `make` and waits there."""

    def __init__(self, home):
        at_work, go_on = home.top / "at-work", home.top / "go-on"
        for fifo in (at_work, go_on):
            os.mkfifo(fifo)
        variables = {"AT_WORK": str(at_work), "GO_ON": str(go_on)}
        self._go_on = go_on
        self.process = home.start("build", "--source", home.source, **variables)
        assert at_work.read_text() == "at work\n"

    def let_go(self):
        self._go_on.write_text("go\n")


def check_failure(result, *words):
    assert result.returncode == harness.FAILED, result
    assert result.stdout == ""
    assert result.stderr.startswith("fthreadprof: ") and result.stderr.count("\n") == 1
    for word in words:
        assert word in result.stderr


def test_list_looks_in_every_place(home):
    top = home.top
    write_python(top / "bin/python3.14t", "3.14.1", free_threaded=True)
    write_python(top / "bin/python3.11", "3.11.0")
    write_python(top / "named/bin/python3", "3.15.0")
    write_python(top / "home/.pyenv/versions/3.13.1/bin/python", "3.13.1")
    write_python(top / "home/.local/share/uv/python/cpython-3.13/bin/python3.13", "3.13.2")
    write_python(home.interpreters / "key/bin/python3", "3.13.3", free_threaded=True)
    listed = home.list(PATH=f"{top}/bin:/usr/bin:/bin", FTHREADPROF_PYTHONS=str(top / "named"))
    assert [(e["version"], e["free_threaded"], e["origin"]) for e in listed] == [
        ("3.13.1", False, "pyenv"),
        ("3.13.2", False, "uv"),
        ("3.13.3", True, "cache"),
        ("3.14.1", True, "path"),
        ("3.15.0", False, "environment"),
    ]
    assert listed[3] == {
        "version": "3.14.1",
        "free_threaded": True,
        "executable": str(top / "bin/python3.14t"),
        "root": None,
        "origin": "path",
        "shared": False,
        "flavor": "release",
    }


def test_list_says_with_v_why_one_is_left_out(home):
    write_python(home.top / "old/python3", "3.12.1")
    write(home.top / "broken/python3", "#!/bin/sh\nexit 1\n", executable=True)
    named = f"{home.top}/old:{home.top}/broken"
    result = home.run("list", FTHREADPROF_PYTHONS=named)
    assert (result.returncode, result.stderr) == (0, "")
    assert "No CPython 3.13 or later was found" in result.stdout
    result = home.run("list", "-v", FTHREADPROF_PYTHONS=named)
    assert f"{home.top}/old/python3 is 3.12.1, older than 3.13" in result.stderr
    assert f"{home.top}/broken/python3 does not run" in result.stderr


def test_list_tells_a_shared_libpython(home):
    """By what the executable is linked to: an executable that answers as Python would."""
    compiler = shutil.which("clang-19") or shutil.which("cc")
    library = home.top / "libpython3.14t.so.1.0"
    write(home.top / "empty.c", "int python;\n")
    code = 'extern int python; int main(void) { puts("cpython 3.14.0 1"); return python; }\n'
    write(home.top / "main.c", "#include <stdio.h>\n" + code)
    python = home.top / "python3"
    soname = f"-Wl,-soname,{library.name}"
    for command in (
        ["-shared", "-fPIC", soname, "-o", library, home.top / "empty.c"],
        ["-o", python, home.top / "main.c", library, f"-Wl,-rpath,{home.top}"],
    ):
        subprocess.run([compiler, *command], check=True)
    (listed,) = home.list(FTHREADPROF_PYTHONS=str(python))
    assert listed["shared"] is True
    assert listed["executable"] == str(python)


def test_list_survives_an_interpreter_that_hangs(home):
    write(home.top / "bin/python3", "#!/bin/sh\nexec sleep 600\n", executable=True)
    write_python(home.top / "bin/python3.14", "3.14.1")
    assert len(home.list(FTHREADPROF_PYTHONS=str(home.top / "bin"))) == 1


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can chroot")
def test_list_runs_those_of_a_root_inside_of_it(home):
    """The root has a shell and its libraries, and an "interpreter" that says where it is."""
    root = home.top / "home/.cache/fthreadprof/roots/r"
    libraries = subprocess.run(["ldd", "/bin/sh"], check=True, capture_output=True, text=True)
    files = [word for word in libraries.stdout.split() if word.startswith("/")]
    for file in ["/bin/sh", *files]:
        (root / file[1:]).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(file, root / file[1:])
    write(root / "inside", "3.15.2")
    answer = "#!/bin/sh\nread version </inside\necho cpython $version 1\n"
    write(root / "usr/bin/python3.15", answer, executable=True)
    (listed,) = home.list()
    assert listed["root"] == str(root)
    assert listed["executable"] == str(root / "usr/bin/python3.15")
    assert (listed["version"], listed["origin"]) == ("3.15.2", "root")
    check_failure(home.run("path", "t"), "no CPython t was found")


def test_an_instrumented_interpreter_is_taken_only_when_asked_for(home):
    """It is known by the coverage beside it."""
    release = write_python(home.top / "release/bin/python3", "3.13.5", free_threaded=True)
    race = write_python(home.top / "race/bin/python3", "3.13.6", free_threaded=True)
    write(home.top / "race/share/fthreadprof/coverage.json", "{}")
    named = {"FTHREADPROF_PYTHONS": f"{home.top}/race:{home.top}/release"}
    listed = home.list(**named)
    assert [(e["executable"], e["flavor"]) for e in listed] == [
        (str(release), "release"),
        (str(race), "race"),
    ]
    assert home.run("path", "t", **named).stdout == f"{release}\n"
    assert home.run("path", "3.13t", "--flavor", "race", **named).stdout == f"{race}\n"
    check_failure(home.run("path", "--flavor", "fast", **named), "release and race")


def test_path_names_one(home):
    python = write_python(home.top / "named/python3", "3.14.1", free_threaded=True)
    named = {"FTHREADPROF_PYTHONS": str(home.top / "named")}
    for version in ((), ("t",), ("3.14t",), ("3.14.1t",)):
        result = home.run("path", *version, **named)
        assert (result.returncode, result.stdout) == (0, f"{python}\n"), version
    check_failure(
        home.run("path", "3.14", **named), "no CPython 3.14 was found", "interpreter build"
    )
    check_failure(home.run("path", "newest", **named), "'newest' is not a version")


def test_build_is_cached_by_its_settings(home):
    executable = home.build()
    assert executable == home.build()
    assert home.builds() == 1
    assert executable.parent.parent.name.startswith("cpython-3.13.9t-")
    assert home.build("--gil") != executable
    assert home.build("--shared") not in (executable, home.build("--gil"))
    assert home.builds() == 3
    assert {e["executable"] for e in home.list() if e["free_threaded"]} == {
        str(executable),
        str(home.build("--shared")),
    }


def test_build_leaves_only_what_it_made(home):
    name = home.build().parent.parent.name
    assert sorted(os.listdir(home.interpreters)) == [name, name + ".lock", name + ".log"]


def test_build_from_a_tarball(home):
    tarball = home.top / "Python.tar.xz"
    with tarfile.open(tarball, "w:xz") as archive:
        archive.add(home.source, "Python-3.13.9")
    home.source = tarball
    assert home.build().exists()


def test_two_builds_at_once_build_once(home):
    first = HeldBuild(home)
    second = home.start("build", "-v", "--source", home.source)
    # stderr says when it has come to the lock
    assert second.stderr.readline() == "waiting for another build of the same\n"
    assert home.list() == []  # nothing half-made is taken for an interpreter
    first.let_go()
    outputs = {p.communicate(timeout=60)[0] for p in (first.process, second)}
    assert (first.process.returncode, second.returncode) == (0, 0)
    assert len(outputs) == 1
    assert home.builds() == 1


def test_a_killed_build_is_begun_anew(home):
    killed = HeldBuild(home)
    killed.process.kill()
    killed.process.communicate(timeout=60)
    (stale,) = home.interpreters.glob("*.building")
    assert home.list() == []
    # What the killed one had started still runs, and could write: the next build waits for its end.
    following = home.start("build", "-v", "--source", home.source)
    assert following.stderr.readline() == "waiting for another build of the same\n"
    killed.let_go()
    output, _ = following.communicate(timeout=60)
    assert following.returncode == 0
    assert pathlib.Path(output.strip()).exists()
    assert not stale.exists()
    assert home.builds() == 2


def test_build_without_a_compiler(home):
    tools = home.top / "tools"
    tools.mkdir()
    for tool in ("sh", "tar", "make", "env", "sha256sum"):
        (tools / tool).symlink_to(shutil.which(tool))
    result = home.run("build", "--source", home.source, PATH=str(tools), CC="")
    check_failure(result, "no C compiler was found", "apt-get install clang-19")
    (tools / "make").unlink()
    result = home.run("build", "--source", home.source, PATH=str(tools))
    check_failure(result, "make was not found", "apt-get install make")


@pytest.mark.parametrize(
    "name, words",
    [
        ("missing.tar.xz", ("does not exist",)),
        ("bad.tar.xz", ("is not a tarball of CPython's source",)),
        ("empty", ("is not CPython's source tree",)),
        ("old", ("3.12.4", "3.13 or later")),
    ],
)
def test_build_from_what_is_no_source(home, name, words):
    write(home.top / "bad.tar.xz", "no tarball")
    (home.top / "empty").mkdir()
    write_source(home.top / "old", "3.12.4")
    check_failure(home.run("build", "--source", home.top / name), name, *words)
    assert list(home.interpreters.glob("cpython-*")) == []


def test_build_from_a_tarball_that_is_cut_off(home):
    write(home.source / "Lib/noise", os.urandom(200_000).hex())
    tarball = home.top / "cut.tar"
    with tarfile.open(tarball, "w") as archive:
        archive.add(home.source / "Include", "Python/Include")
        archive.add(home.source, "Python")
    tarball.write_bytes(tarball.read_bytes()[:100_000])
    result = home.run("build", "--source", tarball)
    check_failure(result, "cut.tar cannot be unpacked")
    assert list(home.interpreters.glob("*/")) == []


def test_build_that_fails_names_its_log(home):
    write(home.source / "configure", "#!/bin/sh\necho no such thing as gold\nexit 1\n")
    result = home.run("build", "--source", home.source)
    check_failure(result, "configure failed with status 1", "see ")
    log = pathlib.Path(result.stderr.strip().rpartition("see ")[2])
    assert "no such thing as gold" in log.read_text()
    assert home.list() == []


def test_build_refuses_what_contradicts_itself(home):
    check_failure(home.run("build", "3.13t", "--gil", "--source", home.source), "--gil contradicts")
    check_failure(
        home.run("build", "3.14t", "--source", home.source), "is CPython 3.13.9, not 3.14"
    )


def test_build_into_a_cache_that_cannot_be_written(home):
    write(home.top / "home/.cache", "a file in the way")
    check_failure(home.run("build", "--source", home.source), "cannot write")


def test_remove(home):
    first, second = home.build(), home.build("--gil")
    name = first.parent.parent.name
    named = write_python(home.top / "named/python3", "3.14.1")
    check_failure(home.run("remove", str(named)), "the cache has no interpreter", name)
    check_failure(home.run("remove", ".."), "the cache has no interpreter")
    check_failure(home.run("remove"), "--all")
    assert home.run("remove", name).returncode == 0
    assert not first.exists() and second.exists() and named.exists()
    assert home.run("remove", "--all").returncode == 0
    assert home.list() == []
    assert [f.suffix for f in home.interpreters.iterdir()] == [".lock", ".lock"]
    assert home.build() == first
