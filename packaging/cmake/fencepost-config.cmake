# SPDX-License-Identifier: Apache-2.0
#
# find_package(fencepost): fencepost::fencepost is the library of hosts, fencepost::static the same to be linked
# statically, fencepost::program the program `fencepost`, where it is installed. All of it is found from where this file
# is, so that an installation can be moved.
get_filename_component(_fencepost_lib "${CMAKE_CURRENT_LIST_DIR}/../.." REALPATH)
# Below the prefix a library is in lib, in lib64, or in a directory of lib that has the architecture's name.
set(_fencepost_prefix)
foreach(_fencepost_above "${_fencepost_lib}/.." "${_fencepost_lib}/../..")
  if(NOT _fencepost_prefix AND EXISTS "${_fencepost_above}/include/fencepost/fencepost.h")
    get_filename_component(_fencepost_prefix "${_fencepost_above}" REALPATH)
  endif()
endforeach()
if(NOT _fencepost_prefix)
  set(fencepost_FOUND FALSE)
  set(fencepost_NOT_FOUND_MESSAGE "the headers of fencepost are not beside ${_fencepost_lib}")
  return()
endif()
include(CMakeFindDependencyMacro)
find_dependency(Threads)

if(NOT TARGET fencepost::fencepost)
  add_library(fencepost::fencepost SHARED IMPORTED)
  set_target_properties(fencepost::fencepost PROPERTIES
    IMPORTED_LOCATION "${_fencepost_lib}/libfencepost.so"
    INTERFACE_INCLUDE_DIRECTORIES "${_fencepost_prefix}/include")
  add_library(fencepost::static STATIC IMPORTED)
  set_target_properties(fencepost::static PROPERTIES
    IMPORTED_LOCATION "${_fencepost_lib}/libfencepost.a"
    INTERFACE_INCLUDE_DIRECTORIES "${_fencepost_prefix}/include"
    INTERFACE_LINK_LIBRARIES Threads::Threads)
  if(EXISTS "${_fencepost_prefix}/bin/fencepost")
    add_executable(fencepost::program IMPORTED)
    set_target_properties(fencepost::program PROPERTIES IMPORTED_LOCATION "${_fencepost_prefix}/bin/fencepost")
  endif()
endif()
