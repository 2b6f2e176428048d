# The Debian package, by cpack: `tools/package deb`.
set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME fthreadprof)
set(CPACK_PACKAGE_VENDOR fthreadprof)
set(FTHREADPROF_PACKAGE_CONTACT "fthreadprof developers <fthreadprof@localhost>"
    CACHE STRING "whom the package names as its maintainer: who publishes it gives a real address")
set(CPACK_PACKAGE_CONTACT "${FTHREADPROF_PACKAGE_CONTACT}")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY
    "profiler and race detector for threaded Python programs")
set(CPACK_PACKAGE_DESCRIPTION
    "Samples CPython 3.13 to 3.15, free-threaded or with the GIL, from outside, and shows where the\n\
threads of a process spend their time. Finds the data races that the GIL hid, under a\n\
CPython that it instruments: for that command alone it needs a compiler and CPython's source,\n\
which are recommended rather than required.")
set(CPACK_STRIP_FILES ON)
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SECTION devel)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON) # libc6, at the version that the symbols need
# What `fthreadprof race` builds CPython with: docs/cli.md says so too.
set(CPACK_DEBIAN_PACKAGE_RECOMMENDS
    "clang-19, llvm-19, lld-19, make, dpkg-dev, xz-utils, zlib1g-dev, libffi-dev, libssl-dev, libbz2-dev, liblzma-dev, libsqlite3-dev")
include(CPack)
