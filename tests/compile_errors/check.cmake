# SPDX-License-Identifier: Apache-2.0
# Compiles CASE with COMPILER and compares what it says with the case's `// expect: words` line: compilation must fail, the first line
# that contains "error:" must contain the words, and the whole output must have fewer than 25 lines. `// expect: success` must compile.
file(STRINGS ${CASE} expected REGEX "^// expect: " LIMIT_COUNT 1)
string(REGEX REPLACE "^// expect: " "" expected "${expected}")
if(expected STREQUAL "")
  message(FATAL_ERROR "${CASE} has no line `// expect: words`")
endif()

list(TRANSFORM SYSTEM_INCLUDE PREPEND -isystem)
execute_process(COMMAND ${COMPILER} -std=c++20 -fsyntax-only -I${INCLUDE} ${SYSTEM_INCLUDE} ${CASE}
                RESULT_VARIABLE status OUTPUT_VARIABLE output ERROR_VARIABLE output)
if(expected STREQUAL success)
  if(NOT status EQUAL 0)
    message(FATAL_ERROR "${CASE} must compile, but:\n${output}")
  endif()
  return()
endif()

string(REGEX MATCH "[^\n]*error:[^\n]*" first "${output}")
string(REGEX MATCHALL "\n" lines "${output}")
list(LENGTH lines lines)
string(FIND "${first}" "${expected}" found)
if(status EQUAL 0)
  message(FATAL_ERROR "${CASE} compiles, but must fail with: ${expected}")
elseif(found EQUAL -1)
  message(FATAL_ERROR "the first error must say: ${expected}\nbut the output is:\n${output}")
elseif(NOT lines LESS 25)
  message(FATAL_ERROR "the output must stay below 25 lines, but has ${lines}:\n${output}")
endif()
