# SPDX-License-Identifier: Apache-2.0
# Compiles through ccache where it is installed. The sloppiness is what ccache needs to reuse results built with a precompiled header; with
# `depend` it looks up headers in the list that the compiler writes, and need not run the preprocessor first.
find_program(CCACHE ccache)
if(CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CMAKE_COMMAND} -E env CCACHE_DEPEND=true CCACHE_SLOPPINESS=pch_defines,time_macros,include_file_mtime,include_file_ctime ${CCACHE})
  add_compile_options($<$<CXX_COMPILER_ID:GNU>:-fpch-preprocess>)
endif()
