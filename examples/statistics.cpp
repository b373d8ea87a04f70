// SPDX-License-Identifier: Apache-2.0
// Compares algorithms by the scores of their runs, read from a CSV file of yours: aggregates with intervals, how likely
// each is to beat the first, and plots of performance profiles and of the interquartile means.
#include <mellow/statistics/aggregates.hpp>
#include <mellow/statistics/bootstrap.hpp>
#include <mellow/statistics/improvement.hpp>
#include <mellow/statistics/profile.hpp>
#include <mellow/statistics/records.hpp>
#include <mellow/tools/atomic_file.hpp>
#include <mellow/tools/command_line.hpp>
#include <mellow/tools/csv_table.hpp>
#include <mellow/tools/plot.hpp>

using namespace mellow;

int main(int argc, char** argv) {
  return run_main([&] {
    std::filesystem::path scores = "examples/scores.csv", output = "results/statistics";
    std::string algorithm = "algorithm", task = "task", run = "run", score = "score";
    statistics::BootstrapOptions options;
    std::uint64_t seed = 0;
    CommandLine("Compares algorithms by the scores of their runs.")
        .option("--scores", scores, "CSV file, one score a row")
        .option("--algorithm", algorithm, "name of the column with the algorithm's name")
        .option("--task", task, "name of the column with the task's name")
        .option("--run", run, "name of the column with the run's name or seed")
        .option("--score", score, "name of the column with the score, comparable between tasks")
        .option("--resamples", options.resamples, "of each bootstrap", {.minimum = 1})
        .option("--confidence", options.confidence, "of the intervals")
        .option("--seed", seed, "of the resamples")
        .option("--output", output, "folder for the plots")
        .parse(argc, argv);
    options.validate();

    const tools::CsvTable file(scores);
    const auto a = file.column(algorithm), t = file.column(task), r = file.column(run), s = file.column(score);
    std::vector<statistics::Record> records;
    for (std::size_t i = 0; i < file.rows(); ++i)
      records.push_back({file.text(i, a), file.text(i, t), file.text(i, r), file.number(i, s)});
    const statistics::ScoreTable table = statistics::tabulate(records);

    Rng rng(seed);
    std::vector<statistics::Scores> all;
    for (const auto& entry : table.algorithms) all.push_back(entry.scores);
    const auto& first = table.algorithms.front();
    tools::Plot profiles{
        .title = "Performance profiles", .x_label = "score", .y_label = "share of runs above", .series = {}};
    tools::BarChart bars{.title = "Interquartile mean", .y_label = "score", .series = {{.label = "IQM"}}};
    tools::BarSeries& iqms = bars.series.front();
    fmt::print("{} tasks; intervals of {:g} %\n{:<18}{:>5}  {:<22}{:<22}{:<22}{:<22}P(beats {})\n", table.tasks.size(),
               100 * options.confidence, "algorithm", "runs", "IQM", "mean", "median of task means", "optimality gap",
               first.algorithm);
    for (const auto& entry : table.algorithms) {
      const auto print = [](const statistics::Estimate& estimate) {
        fmt::print("{:<22}", fmt::format("{:.3f}", estimate));
      };
      const auto iqm = statistics::bootstrap(entry.scores, statistics::Iqm{}, rng, options);
      fmt::print("{:<18}{:>5}  ", entry.algorithm, entry.scores.runs());
      print(iqm);
      print(statistics::bootstrap(entry.scores, statistics::Mean{}, rng, options));
      print(statistics::bootstrap(entry.scores, statistics::MedianOfTaskMeans{}, rng, options));
      print(statistics::bootstrap(entry.scores, statistics::OptimalityGap{}, rng, options));
      if (&entry != &first) print(statistics::probability_of_improvement(entry.scores, first.scores, rng, options));
      fmt::print("\n");

      const auto profile =
          statistics::performance_profile(entry.scores, statistics::even_thresholds(all), rng, options);
      profiles.series.push_back({entry.algorithm, profile.tau, profile.share, profile.low, profile.high});
      bars.groups.push_back(entry.algorithm);
      iqms.values.push_back(iqm.value);
      iqms.low.push_back(iqm.low);
      iqms.high.push_back(iqm.high);
    }
    tools::create_folder(output);
    tools::save_plot(output / "profiles", profiles);
    tools::save_plot(output / "iqm", bars);
    fmt::print("Plots: {} and {}\n", (output / "profiles.png").string(), (output / "iqm.png").string());
  });
}
