# With FTHREADPROF_STATIC the program needs the C library only, so that one binary runs on every
# distribution: for the wheel and the Debian package. Debian ships the archives of what we use, but they
# are not made for shared libraries: the one for embedders is not built then.
option(FTHREADPROF_STATIC "link everything but the C library into the program" OFF)

if(FTHREADPROF_STATIC)
  set(CMAKE_FIND_LIBRARY_SUFFIXES .a) # what pkg_check_modules finds
endif()

# The imported targets of a package whose configuration names the shared libraries: takes the archives
# beside them instead.
function(fthreadprof_prefer_archives)
  if(NOT FTHREADPROF_STATIC)
    return()
  endif()
  get_property(targets DIRECTORY PROPERTY IMPORTED_TARGETS)
  foreach(target IN LISTS targets)
    get_target_property(configurations ${target} IMPORTED_CONFIGURATIONS)
    foreach(configuration IN LISTS configurations)
      get_target_property(library ${target} IMPORTED_LOCATION_${configuration})
      string(REGEX REPLACE "\\.so[.0-9]*$" ".a" archive "${library}")
      if(NOT archive STREQUAL library)
        if(NOT EXISTS "${archive}")
          message(FATAL_ERROR "FTHREADPROF_STATIC: there is no ${archive}")
        endif()
        set_target_properties(${target} PROPERTIES IMPORTED_LOCATION_${configuration} ${archive})
      endif()
    endforeach()
  endforeach()
endfunction()
