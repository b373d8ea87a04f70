# SPDX-License-Identifier: Apache-2.0
# Installs the headers, mellow::tools and the package that find_package(mellow) reads.
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)
set(package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/mellow)

install(TARGETS mellow mellow_native mellow_tools EXPORT mellow FILE_SET HEADERS)
install(EXPORT mellow NAMESPACE mellow:: FILE mellowTargets.cmake DESTINATION ${package_dir})
write_basic_package_version_file(${PROJECT_BINARY_DIR}/mellowConfigVersion.cmake COMPATIBILITY SameMinorVersion)
configure_file(${CMAKE_CURRENT_LIST_DIR}/mellowConfig.cmake.in ${PROJECT_BINARY_DIR}/mellowConfig.cmake @ONLY)
install(FILES ${PROJECT_BINARY_DIR}/mellowConfig.cmake ${PROJECT_BINARY_DIR}/mellowConfigVersion.cmake DESTINATION ${package_dir})
