# SPDX-License-Identifier: Apache-2.0
include(CMakeFindDependencyMacro)
find_dependency(Eigen3 3.4 NO_MODULE)
find_dependency(fmt 9)
include(${CMAKE_CURRENT_LIST_DIR}/mellowTargets.cmake)
