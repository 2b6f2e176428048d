# The library for embedders, docs/embedding.md. It exports what include/fthreadprof/profiler.h declares and
# nothing else.
file(GLOB api_sources CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/src/api/*.cc)
add_library(fthreadprof_library SHARED ${api_sources})
fthreadprof_compile_options(fthreadprof_library)
target_link_libraries(fthreadprof_library PRIVATE fthreadprof::sampler)
target_link_options(fthreadprof_library PRIVATE -Wl,--exclude-libs,ALL)
target_compile_options(fthreadprof_library PRIVATE -fvisibility=hidden -fvisibility-inlines-hidden)
set_target_properties(
  fthreadprof_library
  PROPERTIES OUTPUT_NAME fthreadprof EXPORT_NAME fthreadprof VERSION ${PROJECT_VERSION}
             SOVERSION ${PROJECT_VERSION_MAJOR}.${PROJECT_VERSION_MINOR}
             INTERFACE_INCLUDE_DIRECTORIES
             "$<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/include>;$<INSTALL_INTERFACE:include>")
add_library(fthreadprof::fthreadprof ALIAS fthreadprof_library)

include(CMakePackageConfigHelpers)
install(TARGETS fthreadprof_library EXPORT fthreadprof
        LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR} COMPONENT development)
install(FILES ${PROJECT_SOURCE_DIR}/include/fthreadprof/profiler.h
        DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/fthreadprof COMPONENT development)
set(config_directory ${CMAKE_INSTALL_LIBDIR}/cmake/fthreadprof)
install(EXPORT fthreadprof NAMESPACE fthreadprof:: FILE fthreadprofConfig.cmake
        DESTINATION ${config_directory} COMPONENT development)
write_basic_package_version_file(${PROJECT_BINARY_DIR}/fthreadprofConfigVersion.cmake
                                 COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/fthreadprofConfigVersion.cmake
        DESTINATION ${config_directory} COMPONENT development)
