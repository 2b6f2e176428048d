# One directory of src/ is one static library, one directory of tests/unit/ is its GoogleTest binary.

set(FTHREADPROF_SANITIZER "" CACHE STRING "empty, or what goes behind -fsanitize=")

# What most files include, parsed once. src/ has it in sanitizer builds only: the others, and the
# linter, see that each file includes what it uses.
set(FTHREADPROF_COMMON_HEADERS
    <cstdint> <memory> <string> <string_view> <vector> <absl/container/flat_hash_map.h>
    <absl/status/status.h> <absl/status/statusor.h> <absl/strings/str_cat.h> <absl/time/time.h>)

# fthreadprof_precompile(TARGET OWNER HEADER...): the targets that name the same OWNER share the
# headers, so their compile options must be the same. The first becomes the owner.
function(fthreadprof_precompile target owner)
  get_property(first GLOBAL PROPERTY ${owner})
  if(first)
    target_precompile_headers(${target} REUSE_FROM ${first})
  else()
    target_precompile_headers(${target} PRIVATE ${ARGN})
    set_property(GLOBAL PROPERTY ${owner} ${target})
  endif()
endfunction()

function(fthreadprof_compile_options target)
  target_compile_options(${target} PRIVATE -Wall -Wextra -Wshadow -Wconversion -Wno-sign-conversion
                                           -Werror)
  target_include_directories(${target} PUBLIC ${PROJECT_SOURCE_DIR}/src
                                              ${PROJECT_SOURCE_DIR}/include)
  if(FTHREADPROF_SANITIZER)
    target_compile_options(${target} PUBLIC -fsanitize=${FTHREADPROF_SANITIZER}
                                            -fno-omit-frame-pointer -fno-sanitize-recover=all)
    target_link_options(${target} PUBLIC -fsanitize=${FTHREADPROF_SANITIZER})
  endif()
endfunction()

# fthreadprof_module(NAME DEPENDS target...): builds src/NAME/*.cc as fthreadprof::NAME.
function(fthreadprof_module name)
  cmake_parse_arguments(ARG "" "" "DEPENDS" ${ARGN})
  file(GLOB sources CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/src/${name}/*.cc)
  if(sources)
    add_library(fthreadprof_${name} STATIC ${sources})
    fthreadprof_compile_options(fthreadprof_${name})
    target_link_libraries(fthreadprof_${name} PUBLIC ${ARG_DEPENDS})
    if(FTHREADPROF_SANITIZER)
      fthreadprof_precompile(fthreadprof_${name} precompiled_for_src ${FTHREADPROF_COMMON_HEADERS})
    endif()
  else()
    add_library(fthreadprof_${name} INTERFACE)
    target_link_libraries(fthreadprof_${name} INTERFACE ${ARG_DEPENDS})
  endif()
  add_library(fthreadprof::${name} ALIAS fthreadprof_${name})
endfunction()

# Makes TARGET a GoogleTest binary. Compiling tests takes longer than running them, so they are not
# optimized; what they test is.
function(fthreadprof_test_options target)
  fthreadprof_compile_options(${target})
  target_compile_options(${target} PRIVATE -O0 -g1)
  target_include_directories(${target} PRIVATE ${PROJECT_SOURCE_DIR}/tests)
  target_link_libraries(${target} PRIVATE GTest::gmock_main)
  fthreadprof_precompile(${target} precompiled_for_tests ${FTHREADPROF_COMMON_HEADERS}
                         <gmock/gmock.h> <gtest/gtest.h>)
endfunction()

# fthreadprof_unit_test(NAME): builds tests/unit/NAME/*.cc against fthreadprof::NAME and registers
# it with ctest as one test per binary.
function(fthreadprof_unit_test name)
  file(GLOB sources CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/tests/unit/${name}/*.cc)
  if(NOT sources)
    return()
  endif()
  add_executable(${name}_test ${sources})
  fthreadprof_test_options(${name}_test)
  target_link_libraries(${name}_test PRIVATE fthreadprof::${name} ${ARGN})
  add_test(NAME unit.${name} COMMAND ${name}_test)
endfunction()
