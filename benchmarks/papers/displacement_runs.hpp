// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cmath>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <mellow/preference/toy_training.hpp>
#include <mellow/statistics/aggregates.hpp>
#include <mellow/tools/atomic_file.hpp>
#include <mellow/tools/plot.hpp>
#include <mellow/training/evaluate.hpp>

#include "../suite/estimates.hpp"

/// What losses do to the toy in which chosen and rejected responses resemble each other: shared by the papers that cure
/// displacement.
namespace mellow::suite {

/// One loss on the toy: a number a seed.
struct ToyRuns {
  std::string loss;                         ///< its name
  std::vector<Index> steps;                 ///< of the checkpoints, 0 first
  std::vector<std::vector<double>> chosen;  ///< median a_w over the pairs: of each checkpoint, a number a seed
  std::vector<double> rejected;             ///< median a_l at the end
  std::vector<double> below;                ///< share of winners with a_w < 0 at the end
  std::vector<double> fell_first;           ///< share of winners that fell at the first checkpoint
  std::vector<double> always_fell;          ///< share of winners that fell at every checkpoint
  std::vector<double> accuracy;             ///< share of pairs with a_w > a_l at the end
  std::vector<double> start;                ///< median pi(y_w) before the first step
  std::vector<double> probability;          ///< median pi(y_w) at the end
  std::vector<double> mass_change;          ///< mean |log(pi_w + pi_l) - log(ref_w + ref_l)| at the end
};

/// Which responses fell at each checkpoint, of their log-probabilities, responses x checkpoints.
inline Eigen::Array<bool, Eigen::Dynamic, 1> falls(const ConstMatrixRef<double>& log_probs) {
  Eigen::Array<bool, Eigen::Dynamic, 1> result(log_probs.rows());
  result.setConstant(true);
  for (Index k = 1; k < log_probs.cols(); ++k)
    result = result && log_probs.col(k).array() < log_probs.col(k - 1).array();
  return result;
}

/// Of those that fell first, the share that kept falling: of each seed, NaN where none fell. Both are numbers, or shares
/// of the same winners, one a seed.
inline std::vector<double> kept_falling(std::vector<double> always, const std::vector<double>& first) {
  for (std::size_t i = 0; i < always.size(); ++i) always[i] = first[i] > 0 ? always[i] / first[i] : std::nan("");
  return always;
}

/// What is known of a figure.
inline std::vector<double> known(std::vector<double> values) {
  std::erase_if(values, [](double value) { return std::isnan(value); });
  return values;
}

/// The seeds of which both have a figure.
inline std::pair<std::vector<double>, std::vector<double>> where_both(const std::vector<double>& a,
                                                                      const std::vector<double>& b) {
  std::pair<std::vector<double>, std::vector<double>> both;
  for (std::size_t i = 0; i < a.size(); ++i)
    if (std::isfinite(a[i]) && std::isfinite(b[i])) {
      both.first.push_back(a[i]);
      both.second.push_back(b[i]);
    }
  return both;
}

/// Trains `loss`, which the name describes, on a toy of each seed.
template <preference::PairLoss L>
ToyRuns run_toy(Study& study, const std::string& name, const L& loss) {
  const preference::ToyTraining training;
  const auto step_of = [](Index step) { return fmt::format("median a_w at step {}", step); };
  const auto work = [&](Index seed) {
    Rng rng(static_cast<std::uint64_t>(seed));
    const preference::DisplacementToy toy(rng);
    const preference::PairHistory history = preference::train(toy, loss, training);
    const Index end = history.checkpoints() - 1;
    const Matrix<double> a_w = history.chosen - history.reference_chosen;
    const Vector<double> a_l = history.rejected.col(end) - history.reference_rejected.col(end);
    Figures figures;
    for (Index k = 1; k <= end; ++k)
      figures.push_back({step_of(history.steps[static_cast<std::size_t>(k)]), statistics::Median{}(a_w.col(k))});
    double mass = 0;
    for (Index i = 0; i < history.size(); ++i)
      mass += std::abs(preference::log_add_exp(history.chosen(i, end), history.rejected(i, end)) -
                       preference::log_add_exp(history.reference_chosen(i, end), history.reference_rejected(i, end)));
    figures.push_back({"median a_l", statistics::Median{}(a_l)});
    figures.push_back({"share of winners with a_w < 0", (a_w.col(end).array() < 0).cast<double>().mean()});
    figures.push_back({"share of winners that fell at the first checkpoint",
                       falls(history.chosen.leftCols(2)).cast<double>().mean()});
    figures.push_back({"share of winners that fell at every checkpoint", falls(history.chosen).cast<double>().mean()});
    figures.push_back({"accuracy", (a_w.col(end).array() > a_l.array()).cast<double>().mean()});
    const auto probability = [&](Index k) {
      return statistics::Median{}(history.chosen.col(k).array().exp().matrix());
    };
    figures.push_back({"median probability of the chosen response at the start", probability(0)});
    figures.push_back({"median probability of the chosen response", probability(end)});
    figures.push_back({"mean change of a pair's log mass", mass / static_cast<double>(history.size())});
    return figures;
  };
  std::vector<Run> asked;
  for (Index seed = 0; seed < study.seeds("toy", 20, 100); ++seed)
    asked.push_back({.experiment = "toy",
                     .setting = name,
                     .number = seed,
                     .identity = fmt::format("beta 0.1, Adam {}, steps {}", training.learning_rate,
                                             fmt::join(training.checkpoints, " ")),
                     .work = [&work, seed] { return work(seed); }});
  const auto found = study.measure("toy, " + name, asked);
  const auto of = [&](const std::string& metric) {
    std::vector<double> values;
    for (const Figures& figures : found) values.push_back(figure(figures, metric));
    return values;
  };
  ToyRuns runs{.loss = name,
               .steps = {0},
               .chosen = {std::vector<double>(found.size(), 0.0)},
               .rejected = of("median a_l"),
               .below = of("share of winners with a_w < 0"),
               .fell_first = of("share of winners that fell at the first checkpoint"),
               .always_fell = of("share of winners that fell at every checkpoint"),
               .accuracy = of("accuracy"),
               .start = of("median probability of the chosen response at the start"),
               .probability = of("median probability of the chosen response"),
               .mass_change = of("mean change of a pair's log mass")};
  for (const Index step : training.checkpoints) {
    runs.steps.push_back(step);
    runs.chosen.push_back(of(step_of(step)));
  }
  return runs;
}

/// Draws the median a_w over training, a line with its interval a loss; of a close-up `range` says how far it goes.
inline void draw_toy(const Study& study, const std::string& name, const std::string& title,
                     const std::vector<ToyRuns>& all, std::optional<std::pair<double, double>> range = {}) {
  tools::Plot plot{.title = title,
                   .x_label = "step",
                   .y_label = "median log pi(y_w) - log reference",
                   .reference = tools::ReferenceLine{0, "the reference"},
                   .y_range = range,
                   .log_x = true};
  for (const ToyRuns& runs : all) {
    tools::Series line{.label = runs.loss};
    Rng rng(0);
    for (std::size_t k = 1; k < runs.steps.size(); ++k) {
      add_point(line, static_cast<double>(runs.steps[k]), mean_of(runs.chosen[k], rng));
    }
    plot.series.push_back(std::move(line));
  }
  tools::save_plot(study.folder() / name, plot);
}

/// What another program found for a loss, as it stands in the table of the toy.
struct ToyElsewhere {
  std::string chosen, rejected = "-", below = "-", always, accuracy, probability = "-";
};

/// Writes `toy.md`: means over seeds, a row a loss, with what another program found below it.
inline void tabulate_toy(const Study& study, const std::vector<ToyRuns>& all,
                         const std::map<std::string, ToyElsewhere>& elsewhere) {
  std::string text = fmt::format(
      "| loss | median a_w after {} steps | median a_l | a_w < 0 | fell at every checkpoint | accuracy | "
      "median pi(y_w), {:.3f} at the start |\n|---|---|---|---|---|---|---|\n",
      fmt::join(all.front().steps.begin() + 1, all.front().steps.end(), ", "), training::mean(all.front().start));
  for (const ToyRuns& runs : all) {
    std::vector<std::string> chosen;
    for (std::size_t k = 1; k < runs.steps.size(); ++k)
      chosen.push_back(fmt::format("{:.2f}", training::mean(runs.chosen[k])));
    text +=
        fmt::format("| {} | {} | {:.1f} | {:.2f} | {:.2f} | {:.3f} | {:.3f} |\n", runs.loss, fmt::join(chosen, ", "),
                    training::mean(runs.rejected), training::mean(runs.below), training::mean(runs.always_fell),
                    training::mean(runs.accuracy), training::mean(runs.probability));
    if (const auto other = elsewhere.find(runs.loss); other != elsewhere.end()) {
      const ToyElsewhere& its = other->second;
      text += fmt::format("| *elsewhere* | *{}* | *{}* | *{}* | *{}* | *{}* | *{}* |\n", its.chosen, its.rejected,
                          its.below, its.always, its.accuracy, its.probability);
    }
  }
  tools::write_file_atomically(study.folder() / "toy.md", text);
}

}  // namespace mellow::suite
