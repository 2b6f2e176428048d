"""The compiler plugin that instruments CPython, on small C files: what it inserts and what it refuses.

The program's hooks are a runtime of our own that prints each call.
"""

import os
import pathlib
import re
import subprocess

import harness
import pytest

RESOURCES = pathlib.Path(
    os.environ.get("FTHREADPROF_RESOURCES")
    or pathlib.Path(harness.BINARY).parent / "share/fthreadprof"
)
PASS = RESOURCES / "fthreadprof_race_pass.so"
ABI = (harness.ROOT / "include/fthreadprof/race_abi.h").read_text()
TYPES = {"p": ("const char *", "%s"), "l": ("long", "%ld"), "i": ("int", "%d"), "o": ("unsigned", "%s")}


def runtime():
    """C source of hooks that print their name and arguments."""
    operations = re.findall(r'^ *X\(k\w+, ("[\w.]+")\)', ABI, re.MULTILINE)
    names = f"static const char *names[] = {{{', '.join(operations)}}};"
    lines = ["#include <stdio.h>", "int ftp_race_tracking = TRACKING;", names]
    for name, letters in re.findall(r'^ *X\((\w+), "([pilo]*)"\)', ABI, re.MULTILINE):
        parameters = ", ".join(f"{TYPES[c][0]} a{i}" for i, c in enumerate(letters)) or "void"
        printed = {"p": 'a{0} ? a{0} : "NULL"', "o": "names[a{0}]"}
        values = "".join(", " + printed.get(c, "a{0}").format(i) for i, c in enumerate(letters))
        formats = "".join(" " + TYPES[c][1] for c in letters)
        lines.append(f'void ftp_race_{name}({parameters}) {{ printf("{name}{formats}\\n"{values}); }}')
    return "\n".join(lines)


class Compiler:
    def __init__(self, directory):
        self.directory = directory
        self.hits_file = directory / "hits"

    def compile(self, table, source, *options, name="program.c", **environment):
        """Compiles `source` with `table`; the object's path, or the compiler's messages when it fails."""
        (self.directory / "table").write_text(table)
        file = self.directory / name
        file.parent.mkdir(exist_ok=True)
        file.write_text(source)
        self.object = file.with_suffix(".o")
        variables = {
            "FTHREADPROF_RACE_TABLE": str(self.directory / "table"),
            "FTHREADPROF_RACE_HITS": str(self.hits_file),
            **environment,
        }
        command = ["clang-19", f"-fpass-plugin={PASS}", "-g1", "-c", *options, name]
        return subprocess.run(
            [*command, "-o", self.object],
            cwd=self.directory,
            env={"PATH": os.environ["PATH"], **variables},
            capture_output=True,
            text=True,
        )

    def run(self, table, source, *options, tracking=1):
        """The lines that the compiled program prints."""
        result = self.compile(table, source, *options)
        assert result.returncode == 0, result.stderr
        (self.directory / "runtime.c").write_text(runtime())
        program = self.directory / "program"
        subprocess.run(
            ["clang-19", f"-DTRACKING={tracking}", "runtime.c", self.object, "-o", program],
            cwd=self.directory,
            check=True,
        )
        return subprocess.run([program], capture_output=True, text=True, check=True).stdout.split("\n")[:-1]

    def hits(self):
        return [tuple(line.split("\t")) for line in self.hits_file.read_text().splitlines()]

    def error(self, table, source="int f(char *p) { return !p; }\n"):
        """The compiler's error for a table, which it must refuse."""
        result = self.compile(table, source)
        assert result.returncode != 0
        errors = [line for line in result.stderr.splitlines() if line.startswith("error: ")]
        assert len(errors) == 1, result.stderr
        assert errors[0].startswith("error: fthreadprof: ")
        return errors[0]


@pytest.fixture
def compiler(tmp_path):
    assert PASS.exists(), f"{PASS} is missing: build it with tools/build"
    return Compiler(tmp_path)


PROGRAM = """
#include <stdio.h>
static inline char *helper(char *p, long n) { printf("helper %ld\\n", n); return n ? p : 0; }
static char *middle(char *p, long n) {
  if (n > 5) return "early";
  char *found = helper(p, n);
  helper("second", n + 1);
  return found;
}
int main(void) { middle("x", 7); middle("y", 0); return 0; }
"""

LEVELS = ["-O0", "-O1", "-O2", "-O3"]


@pytest.mark.parametrize("level", LEVELS)
def test_each_kind_of_row_at_each_level(compiler, level):
    """Static and inline functions too: the plugin works before anything is inlined."""
    table = """
entry  middle list_pop 0 1 op=list.pop
exit   middle channel_put 0 ret
before helper list_item_read 0 1 op=list.getitem in middle
after  helper channel_get 0 ret in middle
"""
    assert compiler.run(table, PROGRAM, level) == [
        *("list_pop x 7 list.pop", "channel_put x early"),
        *("list_pop y 0 list.pop", "list_item_read y 0 list.getitem", "helper 0", "channel_get y NULL"),
        *("list_item_read second 1 list.getitem", "helper 1", "channel_get second second"),
        "channel_put y NULL",
    ]


@pytest.mark.parametrize("level", LEVELS)
def test_rows_of_one_place_run_in_the_order_of_the_table(compiler, level):
    source = """
    static char *callee(char *p) { return p; }
    static char *f(char *p) { callee(p); return callee(p); }
    int main(void) { f("p"); return 0; }
    """
    table = """
exit   f look_away_leave
entry  f list_read 0 op=list.len
before callee dealloc 0 in f
entry  f list_write 0 op=list.len
exit   f attribute_leave
after  callee channel_get 0 ret in f
before callee attribute_leave in f
after  callee cell_read 0 op=cell.load in f
entry  f look_away_enter
"""
    around = ["dealloc p", "attribute_leave", "channel_get p p", "cell_read p cell.load"]
    assert compiler.run(table, source, level) == [
        *("list_read p list.len", "list_write p list.len", "look_away_enter"),
        *around,
        *around,
        *("look_away_leave", "attribute_leave"),
    ]


@pytest.mark.parametrize("level", LEVELS)
def test_only_rows_marked_always_run_while_nothing_is_tracked(compiler, level):
    table = """
entry main look_away_enter
entry main before_exit always
entry main attribute_leave
exit  main before_exit always
exit  main look_away_leave
"""
    source = "int main(void) { return 0; }\n"
    assert compiler.run(table, source, level, tracking=0) == ["before_exit", "before_exit"]
    assert compiler.run(table, source, level) == [
        *("look_away_enter", "before_exit", "attribute_leave"),
        *("before_exit", "look_away_leave"),
    ]


@pytest.mark.parametrize("level", LEVELS)
def test_arguments_of_every_kind(compiler, level):
    source = """
    struct object { char padding[16]; const char *name; long index; };
    static void callee(struct object *o) { o->index = 9; }
    static void f(const char *first, struct object *o) { callee(o); }
    static void tagged(unsigned long *reference) {}
    int main(void) {
      struct object o = {"", "named", 5};
      static const char text[] __attribute__((aligned(8))) = "text";
      unsigned long reference = (unsigned long)text | 3;
      tagged(&reference);
      f("first", &o);
      return 0;
    }
    """
    table = """
entry  tagged list_read 0@0~7 op=list.len
entry  f list_item_read 1@16 1@24 op=list.getitem
entry  f list_item_read 0 #-3 op=list.getitem
before callee list_item_read f0 0@24 op=list.getitem in f
after  callee list_item_read f1@16 f1@24 op=list.getitem in f
"""
    assert compiler.run(table, source, level) == [
        "list_read text list.len",
        "list_item_read named 5 list.getitem",
        "list_item_read first -3 list.getitem",
        "list_item_read first 5 list.getitem",
        "list_item_read named 9 list.getitem",
    ]


@pytest.mark.parametrize("level", LEVELS)
def test_conditions(compiler, level):
    source = """
    static char *callee(char *p) { return p; }
    static void f(char *p, char *q) { callee(q); }
    int main(void) { f("set", "a"); f(0, "b"); f("c", 0); return 0; }
    """
    table = """
entry  f list_read 1 op=list.len if 0
entry  f list_write 1 op=list.len unless 0
entry  f attribute_leave
before callee dealloc f0 in f if 0
after  callee dealloc 0 in f unless f0
"""
    assert compiler.run(table, source, level) == [
        *("list_read a list.len", "attribute_leave", "dealloc set"),
        *("list_write b list.len", "attribute_leave", "dealloc NULL", "dealloc b"),
        *("list_read NULL list.len", "attribute_leave"),
    ]


def test_a_file_tells_functions_of_one_name_apart(compiler):
    table = "entry b.c:f list_read 0 op=list.len\nentry f look_away_enter\n"
    source = "static int f(char *p) { return !p; }\nint g(char *p) { return f(p); }\n"
    for name in ("a.c", "b.c", "directory/b.c", "not_b.c"):
        assert compiler.compile(table, source, name=name).returncode == 0
    assert [hit for hit in compiler.hits() if hit[0] == "1"] == [
        ("1", "f", "b.c"),
        ("1", "f", "directory/b.c"),
    ]
    assert len([hit for hit in compiler.hits() if hit[0] == "2"]) == 4


def test_hits_name_each_row_once_for_each_function(compiler):
    table = """# two lines of comment
#
before callee attribute_leave in f
exit f look_away_leave # rows may have one too
entry absent look_away_enter [optional]
entry callee attribute_leave
"""
    source = """
    static void callee(void) {}
    void f(int n) { if (n) { callee(); return; } callee(); }
    """
    compiler.compile(table, source)
    assert sorted(compiler.hits()) == [
        ("3", "f", "program.c"),
        ("4", "f", "program.c"),
        ("6", "callee", "program.c"),
    ]


def test_declarations_are_no_hits(compiler):
    table = "entry f look_away_enter\nbefore g look_away_enter in h\n"
    compiler.compile(table, "int f(void);\nint g(void);\nint main(void) { return f() + g(); }\n")
    assert not compiler.hits_file.exists()


def test_parallel_compilers_write_whole_lines(compiler):
    """More than a pipe's worth, from several processes at once."""
    functions = [f"f{i}_{'x' * 100}" for i in range(300)]
    table = "".join(f"entry {f} look_away_enter\n" for f in functions)
    source = "".join(f"void {f}(void) {{}}\n" for f in functions)
    (compiler.directory / "table").write_text(table)
    (compiler.directory / "many.c").write_text(source)
    environment = {
        "PATH": os.environ["PATH"],
        "FTHREADPROF_RACE_TABLE": str(compiler.directory / "table"),
        "FTHREADPROF_RACE_HITS": str(compiler.hits_file),
    }
    command = ["clang-19", f"-fpass-plugin={PASS}", "-c", "many.c", "-o", "/dev/null"]
    compilers = [
        subprocess.Popen(command, cwd=compiler.directory, env=environment) for _ in range(6)
    ]
    assert [process.wait() for process in compilers] == [0] * 6
    expected = [(str(i + 1), f, "many.c") for i, f in enumerate(functions)]
    assert sorted(compiler.hits()) == sorted(expected * 6)


def test_shared_objects_reach_the_hooks_of_the_program(compiler):
    """Code of a module (-fPIC) goes by the global offset table; that of the program need not."""
    source = "void f(void) {}\n"
    table = "entry f look_away_enter\n"
    compiler.compile(table, source, "-fPIC", "-O2")
    relocations = subprocess.run(
        ["readelf", "--relocs", "--wide", compiler.object], capture_output=True, text=True
    ).stdout
    assert re.search(r"R_X86_64_\w*GOTPCREL\w* .*ftp_race_tracking", relocations)
    compiler.compile(table, source, "-O2")
    relocations = subprocess.run(
        ["readelf", "--relocs", "--wide", compiler.object], capture_output=True, text=True
    ).stdout
    assert re.search(r"R_X86_64_PC32 .*ftp_race_tracking", relocations)


def test_inserted_calls_have_a_line(compiler):
    """A call without one in a function with lines is refused when the function is inlined."""
    table = "entry f list_read 0 op=list.len\nexit f list_read 0 op=list.len\n"
    source = "static int f(char *p) {\n  return !p;\n}\nint g(char *p) {\n  return f(p);\n}\n"
    result = compiler.compile(table, source, "-O2")
    assert result.returncode == 0, result.stderr
    dump = subprocess.run(
        ["clang-19", f"-fpass-plugin={PASS}", "-g1", "-O0", "-S", "-emit-llvm", "program.c", "-o-"],
        cwd=compiler.directory,
        env={
            "PATH": os.environ["PATH"],
            "FTHREADPROF_RACE_TABLE": str(compiler.directory / "table"),
        },
        capture_output=True,
        text=True,
    ).stdout
    calls = [line for line in dump.splitlines() if "call void @ftp_race_list_read" in line]
    assert len(calls) == 2
    assert all("!dbg" in call and "!nosanitize" in call for call in calls)


def test_audit_lists_functions_that_touch_fields_without_a_row(compiler):
    (compiler.directory / "list.h").write_text(
        "typedef struct { long header; char **items; } PyListObject;\n"
        "static inline char *first(PyListObject *l) { return l->items[0]; }\n"
        "static inline char *hooked(PyListObject *l) { return l->items[1]; }\n"
    )
    source = """
    #include "list.h"
    char *direct(PyListObject *l) { return l->items[2]; }
    char *by_header(PyListObject *l) { return first(l); }
    char *by_hooked(PyListObject *l) { return hooked(l); }
    char *with_row(PyListObject *l) { return l->items[3]; }
    long header_only(PyListObject *l) { return l->header; }
    """
    table = (
        "entry with_row list_read 0 op=list.len\nentry hooked list_read 0 op=list.len\n"
        "entry direct look_away_enter\n"
    )
    audit = compiler.directory / "audit"
    result = compiler.compile(table, source, FTHREADPROF_RACE_AUDIT=str(audit))
    assert result.returncode == 0, result.stderr
    assert sorted(audit.read_text().splitlines()) == [
        "by_header\tprogram.c\tPyListObject.1",
        "direct\tprogram.c\tPyListObject.1",
    ]


@pytest.mark.parametrize(
    "row, words",
    [
        ("entry f lst_read 0 op=list.len", "there is no hook 'lst_read'"),
        ("entry f list_read op=list.len", "takes 1 arguments, not 0"),
        ("entry f list_read 0 0 op=list.len", "takes 1 arguments, not 2"),
        ("entry f list_read 0 op=list.length", "there is no operation 'list.length'"),
        ("entry f list_read 0", "needs op=NAME"),
        ("entry f dealloc 0 op=list.len", "takes no op"),
        ("entry f list_read 1 op=list.len", "f has 1 arguments, and no number 1"),
        ("entry f thread_join 0 0", "argument 1 has another type"),
        ("exit f dealloc ret", "argument 0 has another type"),
        ("exit v dealloc ret", "v returns nothing"),
        ("entry f dealloc ret", "'ret' is known at 'exit' and 'after' only"),
        ("entry f dealloc #4", "'#4' is a number"),
        ("entry f dealloc x", "'x' is not an argument"),
        ("entry f thread_join 0 0@x", "'0@x' is not an argument"),
        ("entry f thread_join 0 0@8~", "'0@8~' is not an argument"),
        ("entry f thread_join 0 0~8", "'0~8' is not an argument"),
        ("entry v list_read 0@8 op=list.len", "v has 0 arguments"),
        ("entry n list_read 0@8 op=list.len", "is loaded from what is no pointer"),
        ("entry n look_away_enter if 0", "the condition is no pointer"),
        ("entry f look_away_enter if", "number of an argument behind 'if'"),
        ("entry f look_away_enter in f", "'in FUNCTION' goes with before and after"),
        ("before f look_away_enter", "'in FUNCTION' goes with before and after"),
        ("around f look_away_enter", "'around' is none of entry, exit, before, after"),
        ("entry f", "give: entry FUNCTION HOOK ARGUMENT..."),
        ("verified", "'verified' names the versions"),
        ("unverified 3.14", "'unverified' stands alone"),
    ],
)
def test_a_wrong_row_is_an_error_that_names_its_line(compiler, row, words):
    source = "int f(char *p) { return !p; }\nvoid v(void) {}\nvoid n(long n) {}\n"
    error = compiler.error(f"# comment\n\n{row}\n", source)
    assert "line 3: " in error
    assert words in error


def test_a_tail_call_has_no_exit(compiler):
    source = """
    char *g(char *p);
    char *f(char *p) { __attribute__((musttail)) return g(p); }
    """
    assert "ends in a tail call" in compiler.error("exit f dealloc 0\n", source)
    assert "nothing is after it" in compiler.error("after g dealloc 0 in f\n", source)


def test_no_table_is_an_error(compiler):
    source = "int f(void) { return 0; }\n"
    result = compiler.compile("", source, FTHREADPROF_RACE_TABLE="")
    assert result.returncode != 0 and "FTHREADPROF_RACE_TABLE names no hook table" in result.stderr
    result = compiler.compile("", source, FTHREADPROF_RACE_TABLE="/nowhere/t")
    assert result.returncode != 0 and "cannot read the hook table /nowhere/t" in result.stderr
    assert "the table has no rows" in compiler.error("# nothing\n", source)


def test_hits_that_cannot_be_written_are_an_error(compiler):
    result = compiler.compile(
        "entry f look_away_enter\n", "void f(void) {}\n", FTHREADPROF_RACE_HITS="/nowhere/hits"
    )
    assert result.returncode != 0
    assert "cannot write /nowhere/hits" in result.stderr
