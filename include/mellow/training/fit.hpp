// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <concepts>
#include <cstdint>
#include <limits>
#include <map>
#include <optional>
#include <string>
#include <tuple>
#include <utility>

#include <mellow/core/rng.hpp>
#include <mellow/core/state.hpp>
#include <mellow/training/evaluate.hpp>
#include <mellow/training/loop.hpp>

namespace mellow::training {

/// What learns from data, an update at a time.
///
///     update(rng) -> Learned    one update, on a batch that it draws; what it found, with metrics()
///     evaluate() -> double      how good it is on data that it does not learn from, the higher the better
///     parameters()              what to keep of the best
///     visit_state               everything that changes, for checkpoints
///
/// Where some of its metrics are of evaluations, it also has `after_evaluation(metrics)`, which brings those that its
/// last update gave up to date.
template <class L>
concept DataLearner = Visitable<L> && requires(L learner, const L& fixed, Rng& rng) {
  learner.update(rng).metrics();
  { learner.evaluate() } -> std::convertible_to<double>;
  fixed.parameters();
};

/// The numbers of a run over data.
struct FitOptions {
  Index steps = 1'000;         ///< updates, > 0
  Index evaluate_every = 100;  ///< updates between evaluations (one more at the end); 0: never
  double stop_at_score = std::numeric_limits<double>::infinity();  ///< ends the run when an evaluation reaches it
  std::uint64_t seed = 0;                                          ///< of the order of the data
};

/// What a run over data leaves behind, besides the learner.
template <class Parameters>
struct FitResult {
  RunEnd end = RunEnd::Budget;          ///< why it ended
  Index steps = 0;                      ///< updates done
  double best_score = RunStatus::none;  ///< of the best evaluation (the later of equals; any number beats NaN)
  Index best_step = 0;                  ///< when it was
  Parameters best_parameters{};         ///< the learner's parameters then; empty if there was no evaluation
};

namespace detail {

/// A learner and its data: the process of `fit`. It has no episodes.
template <class L>
class Fitting {
 public:
  using Identity = std::tuple<L>;
  using Parameters = decltype(parameters_of(std::declval<const L&>()));
  using Learned = decltype(std::declval<L&>().update(std::declval<Rng&>()));

  Fitting(L& learner, std::uint64_t seed) : learner_(learner), rng_(seed, streams::agent) {}

  void begin() {}
  void resume() {}
  std::optional<Learned> step(const RunStatus&) { return learner_.update(rng_); }
  static constexpr bool episode_ended() { return false; }
  void end_episode(RunStatus&) {}
  void begin_episode(const RunStatus&) {}
  double evaluate(const RunOptions&) { return learner_.evaluate(); }
  template <class Metrics>
  void after_evaluation(Metrics& metrics) const {
    if constexpr (requires { std::as_const(learner_).after_evaluation(metrics); })
      std::as_const(learner_).after_evaluation(metrics);
  }
  Parameters parameters() const { return parameters_of(learner_); }
  std::map<std::string, std::string> settings(const RunOptions&) const { return {}; }

  template <class Self, class Visit>
  static void visit_state(Self& self, Visit&& visit) {
    visit("learner", self.learner_);
    visit("rng", self.rng_);
  }

 private:
  L& learner_;
  Rng rng_;
};

}  // namespace detail

/// Trains what learns from data. Callbacks are those of `train`; a step is an update, an evaluation's return the score, and
/// there are no episodes.
template <DataLearner L, class... Callbacks>
auto fit(L& learner, const FitOptions& options, Callbacks&&... callbacks) {
  detail::require_callbacks<Callbacks...>();
  require(options.steps > 0, "training::fit", "steps must be positive", options.steps);
  const RunOptions numbers{.steps = options.steps,
                           .evaluate_every = options.evaluate_every,
                           .stop_at_return = options.stop_at_score,
                           .seed = options.seed};
  numbers.validate();
  detail::Fitting fitting(learner, options.seed);
  auto run = detail::run_loop(fitting, numbers, callbacks...);
  return FitResult<decltype(detail::parameters_of(learner))>{.end = *run.status.end,
                                                             .steps = run.status.step,
                                                             .best_score = run.status.best_return,
                                                             .best_step = run.best_step,
                                                             .best_parameters = std::move(run.best_parameters)};
}

}  // namespace mellow::training
