# The compiler plugin that instruments CPython, and what the interpreter builder shares with it.

# Reads hook tables; also in the fthreadprof binary, for `race --coverage`.
add_library(fthreadprof_hook_table STATIC ${PROJECT_SOURCE_DIR}/instrument/pass/hook_table.cc)
fthreadprof_compile_options(fthreadprof_hook_table)
target_include_directories(fthreadprof_hook_table PUBLIC ${PROJECT_SOURCE_DIR}/instrument)
add_library(fthreadprof::hook_table ALIAS fthreadprof_hook_table)

# All files that instrument a CPython, in one directory as they are installed (src/interpreter's
# Resources).
set(FTHREADPROF_BUILD_RESOURCES ${PROJECT_BINARY_DIR}/share/fthreadprof)
file(MAKE_DIRECTORY ${FTHREADPROF_BUILD_RESOURCES})
file(CREATE_LINK ${PROJECT_SOURCE_DIR}/instrument/cpython ${FTHREADPROF_BUILD_RESOURCES}/cpython
     SYMBOLIC)
file(CREATE_LINK ${PROJECT_SOURCE_DIR}/instrument/runtime ${FTHREADPROF_BUILD_RESOURCES}/runtime
     SYMBOLIC)
file(CREATE_LINK ${PROJECT_SOURCE_DIR}/instrument/python ${FTHREADPROF_BUILD_RESOURCES}/python
     SYMBOLIC)
file(CREATE_LINK ${PROJECT_SOURCE_DIR}/include ${FTHREADPROF_BUILD_RESOURCES}/include SYMBOLIC)

# The compiler that loads the plugin is not sanitized, so the plugin cannot be.
if(NOT FTHREADPROF_SANITIZER)
  find_package(LLVM 19.1 REQUIRED CONFIG HINTS /usr/lib/llvm-19/lib/cmake/llvm)
  file(GLOB pass_sources CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/instrument/pass/*.cc)
  add_library(fthreadprof_race_pass MODULE ${pass_sources})
  # The symbols of LLVM are those of the clang that loads it.
  target_compile_options(fthreadprof_race_pass PRIVATE -Wall -Wextra -Wshadow -Werror -fno-rtti
                                                       -fno-exceptions -fvisibility=hidden)
  # The same bytes wherever it is built: interpreters are cached by it.
  target_compile_options(
    fthreadprof_race_pass PRIVATE -ffile-prefix-map=${PROJECT_SOURCE_DIR}=/fthreadprof
                                  -ffile-prefix-map=${PROJECT_BINARY_DIR}=/fthreadprof/build)
  target_compile_definitions(fthreadprof_race_pass PRIVATE ${LLVM_DEFINITIONS})
  target_include_directories(fthreadprof_race_pass PRIVATE ${PROJECT_SOURCE_DIR}/include)
  target_include_directories(fthreadprof_race_pass SYSTEM PRIVATE ${LLVM_INCLUDE_DIRS})
  set_target_properties(
    fthreadprof_race_pass PROPERTIES PREFIX "" LIBRARY_OUTPUT_DIRECTORY
                                               ${FTHREADPROF_BUILD_RESOURCES})
endif()
