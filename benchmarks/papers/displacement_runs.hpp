// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include <mellow/preference/toy_training.hpp>
#include <mellow/statistics/aggregates.hpp>
#include <mellow/tools/plot.hpp>

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
  std::vector<double> always_fell;          ///< share of winners that fell at every checkpoint
  std::vector<double> accuracy;             ///< share of pairs with a_w > a_l at the end
  std::vector<double> probability;          ///< median pi(y_w) at the end
  std::vector<double> mass_change;          ///< mean |log(pi_w + pi_l) - log(ref_w + ref_l)| at the end
};

/// Trains `loss` on a toy of each seed.
template <preference::PairLoss L>
ToyRuns run_toy(const Study& study, Index seeds, const std::string& name, const L& loss) {
  const auto n = static_cast<std::size_t>(seeds);
  ToyRuns runs{.loss = name,
               .steps = {},
               .chosen = {},
               .rejected = std::vector<double>(n),
               .always_fell = std::vector<double>(n),
               .accuracy = std::vector<double>(n),
               .probability = std::vector<double>(n),
               .mass_change = std::vector<double>(n)};
  const preference::ToyTraining training;
  runs.steps.assign(1, 0);
  runs.steps.insert(runs.steps.end(), training.checkpoints.begin(), training.checkpoints.end());
  runs.chosen.assign(runs.steps.size(), std::vector<double>(n));
  study.each(name, seeds, [&](Index seed) {
    Rng rng(static_cast<std::uint64_t>(seed));
    const preference::DisplacementToy toy(rng);
    const preference::PairHistory history = preference::train(toy, loss, training);
    const Index end = history.checkpoints() - 1;
    const Matrix<double> a_w = history.chosen - history.reference_chosen;
    const Vector<double> a_l = history.rejected.col(end) - history.reference_rejected.col(end);
    const auto s = static_cast<std::size_t>(seed);
    for (Index k = 0; k <= end; ++k) runs.chosen[static_cast<std::size_t>(k)][s] = statistics::Median{}(a_w.col(k));
    Eigen::Array<bool, Eigen::Dynamic, 1> falls(history.size());
    falls.setConstant(true);
    for (Index k = 1; k <= end; ++k) falls = falls && a_w.col(k).array() < a_w.col(k - 1).array();
    double mass = 0;
    for (Index i = 0; i < history.size(); ++i)
      mass += std::abs(preference::log_add_exp(history.chosen(i, end), history.rejected(i, end)) -
                       preference::log_add_exp(history.reference_chosen(i, end), history.reference_rejected(i, end)));
    runs.rejected[s] = statistics::Median{}(a_l);
    runs.always_fell[s] = falls.cast<double>().mean();
    runs.accuracy[s] = (a_w.col(end).array() > a_l.array()).cast<double>().mean();
    runs.probability[s] = statistics::Median{}(history.chosen.col(end).array().exp().matrix());
    runs.mass_change[s] = mass / static_cast<double>(history.size());
  });
  return runs;
}

/// Draws the median a_w over training, a line with its interval a loss.
inline void draw_toy(const Study& study, const std::string& name, const std::vector<ToyRuns>& all) {
  tools::Plot plot{.title = "Chosen responses of the toy under Adam",
                   .x_label = "step",
                   .y_label = "median log pi(y_w) - log reference",
                   .reference = tools::ReferenceLine{0, "the reference"},
                   .log_x = true};
  for (const ToyRuns& runs : all) {
    tools::Series line{.label = runs.loss};
    Rng rng(0);
    for (std::size_t k = 1; k < runs.steps.size(); ++k) {
      const auto estimate = mean_of(runs.chosen[k], rng);
      line.x.push_back(static_cast<double>(runs.steps[k]));
      line.y.push_back(estimate.value);
      line.low.push_back(estimate.low);
      line.high.push_back(estimate.high);
    }
    plot.series.push_back(std::move(line));
  }
  tools::save_plot(study.folder() / name, plot);
}

/// Writes all figures into the results, and draws them as `toy`.
inline void save_toy(Study& study, const std::vector<ToyRuns>& all) {
  for (const ToyRuns& runs : all) {
    const auto rows = [&](const std::string& name, const std::vector<double>& values) {
      for (std::size_t seed = 0; seed < values.size(); ++seed)
        study.row("toy", runs.loss, static_cast<Index>(seed), name, values[seed]);
    };
    for (std::size_t k = 1; k < runs.steps.size(); ++k)
      rows(fmt::format("median a_w at step {}", runs.steps[k]), runs.chosen[k]);
    rows("median a_l", runs.rejected);
    rows("share of winners that fell at every checkpoint", runs.always_fell);
    rows("accuracy", runs.accuracy);
    rows("median probability of the chosen response", runs.probability);
    rows("mean change of a pair's log mass", runs.mass_change);
  }
  draw_toy(study, "toy", all);
}

}  // namespace mellow::suite
