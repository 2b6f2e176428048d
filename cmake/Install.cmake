# What `cmake --install` and the packages hold. Component runtime: the program, its man pages, shell
# completion, and what `race` instruments CPython with. cmake/Library.cmake has the component development.

# From the parser, by the program itself: see src/reference.
set(reference ${PROJECT_BINARY_DIR}/reference)
add_custom_command(
  OUTPUT ${reference}/man/man1/fthreadprof.1
  COMMAND ${CMAKE_COMMAND} -E rm -rf ${reference}
  COMMAND fthreadprof --write-reference ${reference}
  DEPENDS fthreadprof
  VERBATIM)
add_custom_target(reference ALL DEPENDS ${reference}/man/man1/fthreadprof.1)

install(TARGETS fthreadprof RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR} COMPONENT runtime)
install(DIRECTORY ${reference}/ DESTINATION ${CMAKE_INSTALL_DATADIR} COMPONENT runtime)
install(DIRECTORY ${PROJECT_SOURCE_DIR}/instrument/cpython
                  ${PROJECT_SOURCE_DIR}/instrument/python
                  ${PROJECT_SOURCE_DIR}/instrument/runtime
        DESTINATION ${CMAKE_INSTALL_DATADIR}/fthreadprof COMPONENT runtime)
install(FILES ${PROJECT_SOURCE_DIR}/include/fthreadprof/race_abi.h
              ${PROJECT_SOURCE_DIR}/include/fthreadprof/race_log.h
        DESTINATION ${CMAKE_INSTALL_DATADIR}/fthreadprof/include/fthreadprof COMPONENT runtime)
if(TARGET fthreadprof_race_pass)
  install(TARGETS fthreadprof_race_pass
          LIBRARY DESTINATION ${CMAKE_INSTALL_DATADIR}/fthreadprof COMPONENT runtime)
endif()

# The licence, and those of the libraries that a package has inside the program.
install(FILES ${PROJECT_SOURCE_DIR}/LICENSE DESTINATION ${CMAKE_INSTALL_DOCDIR} RENAME copyright
        COMPONENT runtime)
if(FTHREADPROF_STATIC)
  foreach(library libabsl-dev libelf-dev libzstd-dev zlib1g-dev libstdc++-12-dev libcli11-dev
                  nlohmann-json3-dev libprotozero-dev)
    file(REAL_PATH /usr/share/doc/${library}/copyright licence)
    install(FILES ${licence} DESTINATION ${CMAKE_INSTALL_DOCDIR}/licenses RENAME ${library}
            COMPONENT runtime)
  endforeach()
endif()
