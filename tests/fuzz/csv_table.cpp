// SPDX-License-Identifier: Apache-2.0
// Any bytes are a table or give an Error; its cells can be read or give an Error.
#include <mellow/core/error.hpp>
#include <mellow/tools/csv_table.hpp>

#include "input_file.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  const InputFile file(bytes, size);
  try {
    const mellow::tools::CsvTable table(file.path());
    std::size_t characters = 0;
    for (std::size_t row = 0; row < table.rows(); ++row)
      for (std::size_t column = 0; column < table.columns().size(); ++column) {
        characters += table.text(row, column).size();
        try {
          table.number(row, column);
        } catch (const mellow::Error&) {}
      }
    if (characters > size) std::abort();
  } catch (const mellow::Error&) {}
  return 0;
}
