# find_package(tapecore CONFIG) gives
#
#   tapecore::tapecore_api   the header, for extension modules of Python: they link nothing and call import_tapegrad()
#   tapecore::tapecore       the library, for programs without Python: only where it was installed by `cmake --install`
#
# The same file serves Python's package (tapegrad/cmake) and such an installation (lib/cmake/tapecore).

foreach(_tapecore_include "${CMAKE_CURRENT_LIST_DIR}/../include" "${CMAKE_CURRENT_LIST_DIR}/../../../include")
  get_filename_component(_tapecore_include "${_tapecore_include}" ABSOLUTE)
  if(EXISTS "${_tapecore_include}/tapegrad/tapecore.h" AND NOT TARGET tapecore::tapecore_api)
    add_library(tapecore::tapecore_api INTERFACE IMPORTED)
    target_include_directories(tapecore::tapecore_api INTERFACE "${_tapecore_include}")
  endif()
endforeach()
unset(_tapecore_include)

if(EXISTS "${CMAKE_CURRENT_LIST_DIR}/tapecore-targets.cmake")
  include(CMakeFindDependencyMacro)
  find_dependency(Threads)
  include("${CMAKE_CURRENT_LIST_DIR}/tapecore-targets.cmake")
endif()
