// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>

#include <mellow/preference/diagnosis.hpp>
#include <mellow/tools/plot.hpp>

namespace mellow::tools {

/// A diagnosis for a terminal: a table with a row a checkpoint, the sentence, the warnings; lines end with line ends.
std::string displacement_table(const preference::Diagnosis& diagnosis);

/// The median change of log pi of the chosen and of the rejected responses over training, with its interval. Where the
/// last step is thirty times the first or more, the axis is logarithmic and the start, at which all is 0, left out.
Plot displacement_plot(const preference::Diagnosis& diagnosis);

/// The probability out of sample, and shares of the pairs, at the start, the first and the last checkpoint, with their
/// intervals: chosen responses that fell, and that always did, pairs in order, saturated and clipped ones.
BarChart displacement_shares_chart(const preference::Diagnosis& diagnosis);

/// Writes into a folder `checkpoints.csv` (all figures with their intervals), `fell_always.txt` (the pairs whose chosen
/// response fell at every checkpoint, a name a line), `diagnosis.md` (the table, the sentence, the warnings) and the
/// plots `displacement` and `shares` as SVG and PNG. Throws Error where one cannot be written.
void save_displacement_report(const std::filesystem::path& folder, const preference::Diagnosis& diagnosis);

}  // namespace mellow::tools
