"""Extension modules that say what they like of the GIL: our own, built for an interpreter, and those
of wheels from the package registry."""

import pathlib
import re
import shutil
import subprocess
import textwrap

CACHE = pathlib.Path("~/.cache/fthreadprof/wheels").expanduser()
PIP_TIMEOUT_S = 300
# With real wheels for free-threaded 3.13: the first declares that it can run without the GIL, the
# second does not.
WHEELS = ("markupsafe==3.0.2", "greenlet==3.1.1")
# What an extension module can say of the GIL, by its name.
SOURCES = {
    "declares": """
        static PyModuleDef_Slot slots[] = {{Py_mod_gil, Py_MOD_GIL_NOT_USED}, {0, NULL}};
        static PyModuleDef def = {PyModuleDef_HEAD_INIT, NAME, NULL, 0, NULL, slots};
        MODULE { return PyModuleDef_Init(&def); }""",
    "says_nothing": """
        static PyModuleDef_Slot slots[] = {{0, NULL}};
        static PyModuleDef def = {PyModuleDef_HEAD_INIT, NAME, NULL, 0, NULL, slots};
        MODULE { return PyModuleDef_Init(&def); }""",
    "needs_it": """
        static PyModuleDef_Slot slots[] = {{Py_mod_gil, Py_MOD_GIL_USED}, {0, NULL}};
        static PyModuleDef def = {PyModuleDef_HEAD_INIT, NAME, NULL, 0, NULL, slots};
        MODULE { return PyModuleDef_Init(&def); }""",
    "single_phase": """
        static PyModuleDef def = {PyModuleDef_HEAD_INIT, NAME, NULL, -1, NULL};
        MODULE { return PyModule_Create(&def); }""",
    "single_phase_declares": """
        static PyModuleDef def = {PyModuleDef_HEAD_INIT, NAME, NULL, -1, NULL};
        MODULE {
          PyObject *module = PyModule_Create(&def);
          PyUnstable_Module_SetGIL(module, Py_MOD_GIL_NOT_USED);
          return module;
        }""",
    "slow": """
        #include <unistd.h>
        static PyModuleDef_Slot slots[] = {{0, NULL}};
        static PyModuleDef def = {PyModuleDef_HEAD_INIT, NAME, NULL, 0, NULL, slots};
        MODULE {
          usleep(50 * 1000);
          return PyModuleDef_Init(&def);
        }""",
    "slow_and_fails": """
        #include <unistd.h>
        static int Exec(PyObject *module) {
          usleep(50 * 1000);
          PyErr_SetString(PyExc_ImportError, "on purpose");
          return -1;
        }
        static PyModuleDef_Slot slots[] = {{Py_mod_exec, Exec}, {0, NULL}};
        static PyModuleDef def = {PyModuleDef_HEAD_INIT, NAME, NULL, 0, NULL, slots};
        MODULE {
          usleep(50 * 1000);
          return PyModuleDef_Init(&def);
        }""",
    "fails": """
        static int Exec(PyObject *module) {
          PyErr_SetString(PyExc_ImportError, "on purpose");
          return -1;
        }
        static PyModuleDef_Slot slots[] = {{Py_mod_exec, Exec}, {0, NULL}};
        static PyModuleDef def = {PyModuleDef_HEAD_INIT, NAME, NULL, 0, NULL, slots};
        MODULE { return PyModuleDef_Init(&def); }""",
}


def build_modules(interpreter, directory):
    """Compiles all modules into `directory`, and some of them into a package; returns it."""
    ask = "import sysconfig; print(sysconfig.get_paths()['include'])"
    include = subprocess.check_output(interpreter.command("-c", ask), text=True).strip()
    (directory / "package").mkdir()
    (directory / "package" / "__init__.py").write_text("from . import inside\n")
    for name, source in {**SOURCES, "package/inside": SOURCES["slow"]}.items():
        base = name.rpartition("/")[2]
        text = f'#include <Python.h>\n#define NAME "{base}"\n'
        text += f"#define MODULE PyMODINIT_FUNC PyInit_{base}(void)\n{textwrap.dedent(source)}\n"
        file = directory / f"{name}.c"
        file.write_text(text)
        target = directory / f"{name}.so"
        command = ["clang-19", "-shared", "-fPIC", f"-I{include}", "-o", target, file]
        subprocess.run(command, check=True)
    return directory


def install_wheels(interpreter, directory):
    """Unpacks WHEELS into `directory`, of a cache that pip fills by its own settings."""
    CACHE.mkdir(parents=True, exist_ok=True)
    for wheel in WHEELS:
        found = _cached(wheel)
        if not found:
            options = ("--quiet", "--only-binary", ":all:", "--no-deps", "--dest", CACHE)
            command = interpreter.command("-m", "pip", "download", *options, wheel)
            subprocess.run(command, check=True, timeout=PIP_TIMEOUT_S)
            found = _cached(wheel)
        shutil.unpack_archive(found, directory, "zip")
    return directory


def _cached(wheel):
    name, version = wheel.split("==")
    pattern = re.compile(rf"{name}-{re.escape(version)}-cp313-cp313t-.*x86_64.*\.whl", re.I)
    return next((file for file in CACHE.glob("*.whl") if pattern.fullmatch(file.name)), None)
