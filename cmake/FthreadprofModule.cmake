# One directory of src/ is one static library, one directory of tests/unit/ is its GoogleTest binary.

set(FTHREADPROF_SANITIZER "" CACHE STRING "empty, or what goes behind -fsanitize=")

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
  else()
    add_library(fthreadprof_${name} INTERFACE)
    target_link_libraries(fthreadprof_${name} INTERFACE ${ARG_DEPENDS})
  endif()
  add_library(fthreadprof::${name} ALIAS fthreadprof_${name})
endfunction()

# fthreadprof_unit_test(NAME): builds tests/unit/NAME/*.cc against fthreadprof::NAME and registers
# it with ctest as one test per binary.
function(fthreadprof_unit_test name)
  file(GLOB sources CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/tests/unit/${name}/*.cc)
  if(NOT sources)
    return()
  endif()
  add_executable(${name}_test ${sources})
  fthreadprof_compile_options(${name}_test)
  target_include_directories(${name}_test PRIVATE ${PROJECT_SOURCE_DIR}/tests)
  target_link_libraries(${name}_test PRIVATE fthreadprof::${name} GTest::gmock_main ${ARGN})
  add_test(NAME unit.${name} COMMAND ${name}_test)
endfunction()
