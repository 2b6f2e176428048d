# Puts the flamegraph's style and script into export/flamegraph_assets.h of the build directory.
set(directory ${PROJECT_SOURCE_DIR}/src/export)
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${directory}/flamegraph.css
                                       ${directory}/flamegraph.js)
file(READ ${directory}/flamegraph.css FLAMEGRAPH_STYLE)
file(READ ${directory}/flamegraph.js FLAMEGRAPH_SCRIPT)
configure_file(${directory}/flamegraph_assets.h.in
               ${PROJECT_BINARY_DIR}/generated/export/flamegraph_assets.h @ONLY)
target_include_directories(fthreadprof_export PUBLIC ${PROJECT_BINARY_DIR}/generated)
