// SPDX-License-Identifier: Apache-2.0
// Any bytes are log-probabilities over a training or give an Error; what is read can be diagnosed or gives an Error.
#include <mellow/preference/displacement.hpp>
#include <mellow/preference/tabulate.hpp>
#include <mellow/tools/displacement_report.hpp>
#include <mellow/tools/pair_records.hpp>

#include "input_file.hpp"

using namespace mellow;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  const InputFile file(bytes, size);
  try {
    const auto records = tools::load_pair_records(file.path());
    for (const auto& record : records)
      if (!std::isfinite(record.chosen + record.rejected) || record.step < 0 || record.pair.empty()) std::abort();
    const auto history = preference::tabulate(records);
    if (history.records().size() != records.size()) std::abort();
    Rng rng(0);
    const auto diagnosis = preference::diagnose(history, rng, {.bootstrap = {.resamples = 2}});
    if (tools::displacement_table(diagnosis).empty()) std::abort();
  } catch (const Error&) {}
  return 0;
}
