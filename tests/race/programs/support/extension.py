"""Extension modules that programs need, compiled where they are used."""

import importlib.machinery
import importlib.util
import pathlib
import subprocess
import sysconfig
import tempfile


def load(name, file_name=None):
    """The module of support/NAME.c, compiled to NAME.so or as the file is to be called."""
    source = pathlib.Path(__file__).with_name(name + ".c")
    with tempfile.TemporaryDirectory() as directory:
        target = f"{directory}/{file_name or name + '.so'}"
        include = "-I" + sysconfig.get_paths()["include"]
        command = ["clang-19", "-O2", "-shared", "-fPIC", include, "-o", target, source]
        subprocess.run(command, check=True)
        loader = importlib.machinery.ExtensionFileLoader(name, target)
        module = importlib.util.module_from_spec(importlib.util.spec_from_loader(name, loader))
        loader.exec_module(module)
    return module
