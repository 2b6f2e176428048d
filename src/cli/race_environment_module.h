// The Python module that `fthreadprof race` puts into the environments that it makes; its .pth file
// imports it when the interpreter starts. The two lists of directories stand before it (see
// race_environment.cc).
//
// It must leave no trace in a report: after start-up it writes to no object. Under -S it does not
// run, as nothing of site-packages does; under -I and -s it leaves out the user's directory.
#ifndef FTHREADPROF_CLI_RACE_ENVIRONMENT_MODULE_H_
#define FTHREADPROF_CLI_RACE_ENVIRONMENT_MODULE_H_

namespace fthreadprof {

inline constexpr char kEnvironmentModule[] = R"python(
import os
import site
import sys

_LOG = os.environ.get("FTHREADPROF_RACE_LOG")


def _note(file, text):
    """Tells `fthreadprof race`; it need not hear it."""
    if not _LOG:
        return
    try:
        fd = os.open(os.path.join(_LOG, file), os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        os.write(fd, os.fsencode(text))
        os.close(fd)
    except OSError:
        pass


class _OtherBuilds:
    """The last of the finders: asked for a module that nobody has, it looks whether it is there as
    an extension module for another Python."""

    @staticmethod
    def find_spec(name, path=None, target=None):
        start = name.rpartition(".")[2] + "."
        for directory in sys.path if path is None else path:
            try:
                files = os.listdir(directory or ".")
            except (OSError, TypeError):
                continue
            for file in files:
                if file.startswith(start) and file.endswith(".so"):
                    _note("other-builds", "\t".join((name, str(directory), file)) + "\n")
                    return None
        return None


for _directory in (() if sys.flags.no_user_site else _USER_SITE) + _SITE:
    site.addsitedir(os.fsdecode(_directory))
sys.meta_path.append(_OtherBuilds)
# A child of a test, by subprocess or multiprocessing's spawn: pytest tells it so.
_test = os.environ.get("PYTEST_CURRENT_TEST", "").rpartition(" (")[0]
if _test:
    sys.audit("fthreadprof.test", _test)
_note("pythons", "%d\n" % os.getpid())
)python";

}  // namespace fthreadprof

#endif  // FTHREADPROF_CLI_RACE_ENVIRONMENT_MODULE_H_
