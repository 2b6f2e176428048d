// A source tree that configure, make and make install take for CPython's: what it installs is a
// script that answers as a CPython of the given version.
#ifndef FTHREADPROF_TESTS_UNIT_INTERPRETER_FAKE_SOURCE_H_
#define FTHREADPROF_TESTS_UNIT_INTERPRETER_FAKE_SOURCE_H_

#include <filesystem>
#include <string>

#include "unit/interpreter/temporary_directory.h"

namespace fthreadprof {

// `while_compiling` is a shell command that `make` runs.
inline std::filesystem::path WriteFakeSource(const std::filesystem::path& tree,
                                             const std::string& version,
                                             const std::string& while_compiling = "true") {
  WriteTextFile(tree / "Include/patchlevel.h", "#define PY_VERSION \"" + version + "\"\n");
  WriteScript(tree / "configure", R"sh(
free_threaded=0
for argument in "$@"; do
  case $argument in
    --prefix=*) prefix=${argument#--prefix=} ;;
    --disable-gil) free_threaded=1 ;;
  esac
done
sed -e "s|@PREFIX@|$prefix|" -e "s|@ANSWER@|cpython $(cat VERSION) $free_threaded|" \
  Makefile.pre.in >Makefile)sh");
  WriteTextFile(tree / "VERSION", version + "\n");
  WriteTextFile(tree / "Makefile.pre.in", "all:\n\t" + while_compiling +
                                              "\n\techo '#!/bin/sh' >python"
                                              "\n\techo echo @ANSWER@ >>python"
                                              "\n\tchmod +x python"
                                              "\ninstall:\n\tmkdir -p $(DESTDIR)@PREFIX@/bin"
                                              "\n\tcp python $(DESTDIR)@PREFIX@/bin/python3\n");
  return tree;
}

}  // namespace fthreadprof

#endif  // FTHREADPROF_TESTS_UNIT_INTERPRETER_FAKE_SOURCE_H_
