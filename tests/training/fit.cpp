// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>
#include <cmath>
#include <vector>

#include <mellow/core/metric.hpp>
#include <mellow/tools/checkpoints.hpp>
#include <mellow/training/fit.hpp>

#include "support/catch.hpp"
#include "support/temporary_directory.hpp"

using namespace mellow;
using namespace mellow::training;

namespace {

/// Fits the mean of a normal distribution by stochastic gradient descent; its score is minus the squared distance.
struct MeanLearner {
  struct Learned {
    double loss = 0;
    std::array<Metric, 1> metrics() const { return {{{"loss", loss}}}; }
  };

  Vector<double> guess = Vector<double>::Zero(1);
  Index updates = 0;

  Learned update(Rng& rng) {
    const double difference = guess[0] - (3.0 + rng.normal());
    guess[0] -= difference / static_cast<double>(++updates);
    return {difference * difference};
  }
  double evaluate() const { return -(guess[0] - 3.0) * (guess[0] - 3.0); }
  const Vector<double>& parameters() const { return guess; }

  template <class Self, class Visit>
  static void visit_state(Self& self, Visit&& visit) {
    visit("guess", self.guess);
    visit("updates", self.updates);
  }
};

struct Log {
  std::vector<double> losses{}, scores{};
  Index episodes = 0, stop_at = -1;
  bool on_step(const RunStatus& status) {
    losses.push_back(status.metrics[0].value);
    return status.step != stop_at;
  }
  void on_episode(const RunStatus&) { ++episodes; }
  void on_evaluation(const RunStatus& status) { scores.push_back(status.evaluation_return); }
};

}  // namespace

TEST_CASE("A run over data counts updates, tells callbacks and keeps the best parameters") {
  MeanLearner learner;
  Log log;
  const auto run = fit(learner, {.steps = 1'050, .evaluate_every = 100}, log);
  CHECK((run.end == RunEnd::Budget && run.steps == 1'050 && learner.updates == 1'050));
  CHECK((log.losses.size() == 1'050 && log.scores.size() == 11 && log.episodes == 0));
  const auto best = std::ranges::max_element(log.scores);
  CHECK(run.best_score == *best);
  CHECK(run.best_step == std::min<Index>(1'050, 100 * (best - log.scores.begin() + 1)));
  CHECK(-(run.best_parameters[0] - 3) * (run.best_parameters[0] - 3) == *best);
  CHECK(std::abs(learner.guess[0] - 3) < 5 / std::sqrt(1'050.0));  // five standard deviations of a mean
}

TEST_CASE("A run over data ends at a score or when a callback says so") {
  MeanLearner learner;
  CHECK(fit(learner, {.steps = 100'000, .evaluate_every = 10, .stop_at_score = -0.01}).end == RunEnd::ReturnReached);
  Log log{.stop_at = 7};
  MeanLearner other;
  CHECK(fit(other, {.steps = 100}, log).end == RunEnd::Stopped);
  CHECK(other.updates == 7);
  CHECK_THROWS_WITH(fit(other, {.steps = 0}), Catch::Contains("steps must be positive"));
  CHECK_THROWS_WITH(fit(other, {.evaluate_every = -1}), Catch::Contains("evaluate_every"));
}

TEST_CASE("A run over data that is stopped and taken up ends as one that was not") {
  const TemporaryDirectory directory;
  MeanLearner whole, stopped, later;
  const FitOptions options{.steps = 400, .evaluate_every = 50, .seed = 3};
  const auto expected = fit(whole, options);
  Log log{.stop_at = 130};
  fit(stopped, options, log, tools::Checkpoints(directory.path(), {.every = 60}));
  CHECK(stopped.updates == 130);
  const auto run = fit(later, options, tools::Checkpoints(directory.path(), {.every = 60}));
  CHECK(later.guess == whole.guess);
  CHECK((run.best_score == expected.best_score && run.best_step == expected.best_step));
  MeanLearner refused;
  fit(stopped, options, log, tools::Checkpoints(directory.path(), {.every = 60}));
  CHECK_THROWS_WITH(fit(refused, {.steps = 400, .evaluate_every = 50, .seed = 4},
                        tools::Checkpoints(directory.path(), {.every = 60})),
                    Catch::Contains("seed"));
}
