// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <span>
#include <vector>

#include <mellow/preference/pair_record.hpp>

namespace mellow::tools {

/// Loads log-probabilities of preference pairs over a training, as CSV with a heading or as JSON lines (whose first
/// character is a brace; a bracket begins a list, which is refused), a row for each pair at each checkpoint. Columns, or
/// fields, by name; others are left out:
///
///     step, pair, chosen, rejected            needed
///     reference_chosen, reference_rejected    both or neither
///     chosen_tokens, rejected_tokens          both or neither
///     clipped                                 0 or 1, true or false
///     out_of_sample                           from 0 to 1
///
/// They mean what `preference::PairRecord` says. An empty cell and null are nothing. Throws Error, naming the file, the
/// line and the field: where the file cannot be read or has no rows; for a field that is needed and missing, or given
/// of some rows only; a log-probability that is no number, NaN, infinite or positive; a step that is no whole number of
/// at least 0; other counts, flags and probabilities out of range; a pair that comes twice at a step.
std::vector<preference::PairRecord> load_pair_records(const std::filesystem::path& path);

/// Writes rows as such a CSV file, atomically, with the columns that the first row has. Throws Error where the file
/// cannot be written.
void save_pair_records(const std::filesystem::path& path, std::span<const preference::PairRecord> records);

}  // namespace mellow::tools
