# SPDX-License-Identifier: Apache-2.0
# Compiles CASE with COMPILER, the header OTHERS precompiled, and writes into the file SAID its exit status, then what it said.
list(TRANSFORM SYSTEM_INCLUDE PREPEND -isystem)
execute_process(COMMAND ${COMPILER} -std=c++20 -fsyntax-only -include ${OTHERS} -I${INCLUDE} ${SYSTEM_INCLUDE} ${CASE}
                RESULT_VARIABLE status OUTPUT_VARIABLE output ERROR_VARIABLE output)
file(WRITE ${SAID} "${status}\n${output}")
