"""Extension modules that programs need, compiled where they are used."""

import importlib.machinery
import importlib.util
import pathlib
import subprocess
import sysconfig
import tempfile


def load(name):
    """The module of support/NAME.c."""
    source = pathlib.Path(__file__).with_name(name + ".c")
    with tempfile.TemporaryDirectory() as directory:
        target = f"{directory}/{name}.so"
        include = "-I" + sysconfig.get_paths()["include"]
        subprocess.run(["clang-19", "-shared", "-fPIC", include, "-o", target, source], check=True)
        loader = importlib.machinery.ExtensionFileLoader(name, target)
        module = importlib.util.module_from_spec(importlib.util.spec_from_loader(name, loader))
        loader.exec_module(module)
    return module
