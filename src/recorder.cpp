// SPDX-License-Identifier: Apache-2.0
#include "mellow/tools/recorder.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "mellow/core/error.hpp"
#include "mellow/tools/atomic_file.hpp"
#include "mellow/tools/csv.hpp"
#include "mellow/tools/folder_lock.hpp"
#include "mellow/tools/interrupt.hpp"
#include "mellow/tools/progress.hpp"
#include "run_clock.hpp"

namespace mellow::tools {

namespace {
/// The metric of a name; NaN where there is none.
double value_of(std::string_view name, std::span<const Metric> metrics) {
  const auto found = std::ranges::find(metrics, name, &Metric::name);
  return found == metrics.end() ? training::RunStatus::none : found->value;
}

/// A curve of at most about 2 000 points, evenly chosen, the last one among them: more cannot be told apart.
Series curve(std::string label, const std::vector<double>& x, const std::vector<double>& y) {
  const std::size_t step = x.size() / 2000 + 1;
  Series some{.label = std::move(label)};
  for (std::size_t i = (x.size() - 1) % step; i < x.size(); i += step) {
    some.x.push_back(x[i]);
    some.y.push_back(y[i]);
  }
  return some;
}
}  // namespace

struct Recorder::Impl {
  Impl(std::filesystem::path where, RecorderOptions chosen)
      : folder(std::move(where)), lock(folder), options(std::move(chosen)), draws(can_plot()) {
    remove_temporaries(folder);
    if (!draws) fmt::print(stderr, "warning: no plot of the run will be drawn, since gnuplot is not installed\n");
    if (options.progress) progress.emplace(options.steps, ProgressOptions{.total_episodes = options.episodes});
  }

  /// Opens the table where there is none: a new one, or the one that the state tells of.
  void open(std::span<const Metric> metrics) {
    if (csv) return;
    std::vector<std::string> columns{"kind", "step", "episode", "return", "length", "seconds"};
    for (const Metric& metric : metrics) columns.emplace_back(metric.name);
    csv.emplace(folder / "metrics.csv", columns, state.csv_size);
  }

  void row(const char* kind, const training::RunStatus& status, double value, double length) {
    open(status.metrics);  // they are known with the first status
    std::vector<CsvCell> cells{kind, status.step, status.episode, value, length, clock.rounded(state.seconds)};
    for (const Metric& metric : status.metrics) cells.emplace_back(metric.value);
    csv->row(cells);
  }

  void plot() const {
    if (!draws) return;
    if (state.episode_step.empty() && state.evaluation_step.empty()) return;
    Plot chart{.title = options.title,
               .x_label = options.labels.step,
               .y_label = options.labels.score,
               .reference = options.reference};
    if (!state.episode_step.empty())
      chart.series.push_back(
          curve("training, mean of the last 100 episodes", state.episode_step, state.episode_return));
    if (!state.evaluation_step.empty())
      chart.series.push_back(curve(options.labels.evaluation, state.evaluation_step, state.evaluation_return));
    save_plot(folder / "learning_curve", chart);
  }

  /// Writes what there is; the second time, nothing.
  void finish() {
    if (finished) return;
    finished = true;
    if (progress) progress->finish();
    if (csv) csv->finish();
    plot();
  }

  std::filesystem::path folder;
  FolderLock lock;
  RecorderOptions options;
  bool draws;  // a plot in the end
  bool finished = false;
  RunClock clock;
  Interrupt interrupt;
  std::optional<Progress> progress;
  std::optional<CsvWriter> csv;
  State state;
};

Recorder::Recorder(std::filesystem::path folder, RecorderOptions options)
    : impl_(std::make_unique<Impl>(std::move(folder), std::move(options))) {}

Recorder::~Recorder() {
  try {
    impl_->finish();  // the run ended by an exception: keep what there is
  } catch (...) {     // whose message matters more than this one's
  }
}

bool Recorder::on_step(const training::RunStatus& status) {
  if (impl_->progress)
    impl_->progress->update({.step = status.step,
                             .episodes = status.episode,
                             .mean_return = status.mean_return,
                             .loss = value_of("loss", status.metrics),
                             .best_return = status.best_return,
                             .tokens = value_of("tokens", status.metrics)});
  return !Interrupt::requested();
}

void Recorder::on_episode(const training::RunStatus& status) {
  impl_->row("episode", status, status.episode_return, static_cast<double>(status.episode_length));
  impl_->state.episode_step.push_back(static_cast<double>(status.step));
  impl_->state.episode_return.push_back(status.mean_return);
}

void Recorder::on_evaluation(const training::RunStatus& status) {
  impl_->row("evaluation", status, status.evaluation_return, training::RunStatus::none);
  impl_->state.evaluation_step.push_back(static_cast<double>(status.step));
  impl_->state.evaluation_return.push_back(status.evaluation_return);
}

void Recorder::on_end(const training::RunStatus& status) {
  impl_->open(status.metrics);  // there is a table even where nothing happened, or nothing was left to do
  impl_->finish();
}

double Recorder::seconds() const { return impl_->clock.rounded(impl_->state.seconds); }

Recorder::State& Recorder::state() const {
  State& state = impl_->state;
  impl_->clock.keep(state.seconds);
  if (impl_->csv) state.csv_size = impl_->csv->sync();
  return state;
}

}  // namespace mellow::tools
