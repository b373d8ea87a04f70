# SPDX-License-Identifier: Apache-2.0
# Compares what a compiler said of CASE, in the file SAID, with the case's `// expect: words` line: compilation must fail, the first line
# that contains "error:" must contain the words, and the whole output must have fewer than 25 lines. `// expect: success` must compile.
file(STRINGS ${CASE} expected REGEX "^// expect: " LIMIT_COUNT 1)
string(REGEX REPLACE "^// expect: " "" expected "${expected}")
if(expected STREQUAL "")
  message(FATAL_ERROR "${CASE} has no line `// expect: words`")
endif()

file(READ ${SAID} output)
string(FIND "${output}" "\n" first_line)
string(SUBSTRING "${output}" 0 ${first_line} status)
string(SUBSTRING "${output}" ${first_line} -1 output)
if(expected STREQUAL success)
  if(NOT status EQUAL 0)
    message(FATAL_ERROR "${CASE} must compile, but:\n${output}")
  endif()
  return()
endif()

string(REGEX MATCH "[^\n]*error:[^\n]*" first "${output}")
string(REGEX MATCHALL "\n" lines "${output}")  # one of them ends the line of the status
list(LENGTH lines lines)
string(FIND "${first}" "${expected}" found)
if(status EQUAL 0)
  message(FATAL_ERROR "${CASE} compiles, but must fail with: ${expected}")
elseif(found EQUAL -1)
  message(FATAL_ERROR "the first error must say: ${expected}\nbut the output is:\n${output}")
elseif(NOT lines LESS 25)
  message(FATAL_ERROR "the output must stay below 25 lines, but has ${lines}:\n${output}")
endif()
