// SPDX-License-Identifier: Apache-2.0
#include "mellow/tools/displacement_report.hpp"

#include "../support/catch.hpp"
#include "../support/temporary_directory.hpp"
#include "mellow/tools/csv_table.hpp"

using namespace mellow;
using namespace mellow::tools;
using Catch::Contains;

namespace {

/// Two checkpoints of made-up figures.
preference::Diagnosis example() {
  preference::Diagnosis diagnosis{
      .pairs = 8, .has_reference = true, .beta = 0.1, .saturation = 0.01, .confidence = 0.9};
  diagnosis.out_of_sample_at_start = statistics::Estimate{0.5, 0.4, 0.6};
  for (const std::int64_t step : {10, 90}) {
    preference::CheckpointDiagnosis at{.step = step};
    at.chosen_median = {-0.1 * static_cast<double>(step), -10, -0.5};
    at.rejected_median = {-0.2 * static_cast<double>(step), -20, -1};
    at.chosen_fell = {0.75, 0.5, 0.9};
    at.accuracy = {0.875, 0.6, 1};
    at.pair_mass = {-3, -4, -2};
    at.out_of_sample = {0.9, 0.8, 1};
    at.saturated = 0.25;
    diagnosis.checkpoints.push_back(at);
  }
  diagnosis.always_fell = {0.25, 0.1, 0.6};
  diagnosis.fell_always = {"p3", "p7"};
  return diagnosis;
}

}  // namespace

TEST_CASE("A diagnosis as a table for the terminal") {
  const std::string text = displacement_table(example());
  CHECK_THAT(text,
             Contains("8 pairs; changes of log pi since the reference; medians with intervals of 90 %; beta 0.1\n") &&
                 Contains("out of sample <=") && !Contains("clipped") && Contains("  90  -9.00 [-10.00, -0.50]  ") &&
                 Contains(" 87.5 % ") && Contains("Fell at every checkpoint: 25.0 % of the chosen responses.\n"));
  auto clipped = example();
  for (auto& at : clipped.checkpoints) at.clipped = 0.125;
  clipped.out_of_sample_known = true;
  CHECK_THAT(displacement_table(clipped), Contains("out of sample  saturated  clipped\n") && Contains("   12.5 %\n"));
}

TEST_CASE("The plot begins at the start, which a logarithmic axis leaves out") {
  auto diagnosis = example();
  auto plot = displacement_plot(diagnosis);
  CHECK_FALSE(plot.log_x);
  REQUIRE(plot.series.size() == 2);
  CHECK(plot.series[0].x == std::vector<double>{0, 10, 90});
  CHECK(plot.series[0].y == std::vector<double>{0, -1, -9});
  CHECK(plot.series[1].y == std::vector<double>{0, -2, -18});
  CHECK(plot.series[0].low == std::vector<double>{0, -10, -10});
  diagnosis.checkpoints[1].step = 300;
  plot = displacement_plot(diagnosis);
  CHECK(plot.log_x);
  CHECK(plot.series[0].x == std::vector<double>{10, 300});
  diagnosis.start = 5;
  CHECK(displacement_plot(diagnosis).series[0].x == std::vector<double>{5, 10, 300});
}

TEST_CASE("The chart has a bar for each share at the start, the first and the last checkpoint") {
  auto diagnosis = example();
  auto chart = displacement_shares_chart(diagnosis);
  REQUIRE(chart.series.size() == 3);
  CHECK(chart.series[1].label == "step 10");
  CHECK(chart.series[2].label == "step 90");
  CHECK(chart.groups ==
        std::vector<std::string>{"out of sample", "chosen fell", "fell at every checkpoint", "in order", "saturated"});
  CHECK(chart.title == "Probability out of sample, at most, and shares of the pairs");
  CHECK(chart.series[0].values[0] == 0.5);
  CHECK(chart.series[2].values[1] == 0.75);
  CHECK(std::isnan(chart.series[1].values[2]));  // of the end alone
  CHECK(chart.series[2].values[2] == 0.25);
  CHECK(chart.series[2].values[4] == 0.25);
  CHECK((chart.series[2].low[4] > 0.05 && chart.series[2].low[4] < 0.1));  // Wilson's, of 2 in 8
  CHECK((chart.series[2].high[4] > 0.55 && chart.series[2].high[4] < 0.6));
  CHECK_FALSE(chart.y_label.empty());
  for (auto& at : diagnosis.checkpoints) at.clipped = 0;
  CHECK(displacement_shares_chart(diagnosis).groups.back() == "saturated");
  diagnosis.checkpoints.back().clipped = 0.5;
  chart = displacement_shares_chart(diagnosis);
  CHECK(chart.groups.back() == "clipped");
  CHECK(chart.series[2].values.back() == 0.5);
  diagnosis.checkpoints.pop_back();
  diagnosis.out_of_sample_at_start.reset();
  diagnosis.out_of_sample_known = true;
  chart = displacement_shares_chart(diagnosis);
  CHECK(chart.series.size() == 2);
  CHECK(chart.title == "Probability out of sample, and shares of the pairs");
}

TEST_CASE("A report in a folder holds what the table does") {
  const TemporaryDirectory directory;
  save_displacement_report(directory / "a/b", example());
  const CsvTable csv(directory / "a/b/checkpoints.csv");
  REQUIRE(csv.rows() == 2);
  CHECK(csv.number(1, csv.column("step")) == 90);
  CHECK(csv.number(1, csv.column("chosen_median")) == -9);
  CHECK(csv.number(0, csv.column("out_of_sample_high")) == 1);
  CHECK(csv.number(0, csv.column("saturated")) == 0.25);
  CHECK(csv.text(0, csv.column("clipped")).empty());
  CHECK(read_file(directory / "a/b/fell_always.txt") == "p3\np7\n");
  CHECK_THAT(
      read_file(directory / "a/b/diagnosis.md"),
      Contains("| 90 | -9.00 [-10.00, -0.50] | -18.00 [-20.00, -1.00] | 75.0 % |") && Contains("Displacement: "));
  for (const char* file : {"displacement.svg", "displacement.png", "shares.svg", "shares.png"})
    CHECK(std::filesystem::file_size(directory / "a/b" / file) > 1'000);
}
