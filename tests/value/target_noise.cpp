// SPDX-License-Identifier: Apache-2.0
#include <mellow/nn/mlp.hpp>
#include <mellow/value/categorical_head.hpp>
#include <mellow/value/dqn.hpp>
#include <mellow/value/quantile_head.hpp>
#include <mellow/value/target_noise.hpp>

#include "support/catch.hpp"
#include "support/replay.hpp"

using namespace mellow;
using value::Dqn;
using value::TargetNoise;

namespace {

const nn::Mlp<double> network({2, 8, 3});
constexpr value::DqnOptions options{.batch_size = 4'000, .learning_starts = 1'000};

/// The targets of an agent's next update on its transitions.
template <class Agent>
auto targets_of(Agent agent) {
  show_random_transitions(agent, 100);
  Rng rng(1);
  agent.learn(rng);
  return agent.learner().head_state;
}

}  // namespace

TEST_CASE("Noise of the given deviation is added to every target") {
  const Vector<double> clean = targets_of(Dqn(network, options)).targets,
                       noisy = targets_of(Dqn(network, options, TargetNoise{.deviation = 0.5})).targets;
  const Vector<double> noise = noisy - clean;
  CHECK((noise.array() != 0).all());
  CHECK(std::abs(noise.mean()) < 4 * 0.5 / std::sqrt(4'000.0));
  CHECK(noise.squaredNorm() / 4'000 == Approx(0.25).epsilon(4 * std::sqrt(2 / 4'000.0)));
  CHECK(std::abs(noise.head(3'999).dot(noise.tail(3'999))) / 3'999 < 4 * 0.25 / std::sqrt(4'000.0));  // independent
}

TEST_CASE("Noise shifts a distribution as a whole") {
  const auto build = [&](const auto&... parts) {
    return Dqn(nn::Mlp<double>({2, 8, 15}), {.batch_size = 50, .learning_starts = 1'000}, parts...);
  };
  const value::QuantileHead quantiles{.quantiles = 5};
  const Matrix<double> shift =
      targets_of(build(quantiles, TargetNoise{})).targets - targets_of(build(quantiles)).targets;
  CHECK(shift.row(0).norm() > 1);
  CHECK((shift.rowwise() - shift.row(0)).norm() < 1e-12);

  const value::CategoricalHead atoms{.atoms = 5, .v_min = -20, .v_max = 20};
  const Vector<double> z = Vector<double>::LinSpaced(5, -20, 20);
  const auto labels = targets_of(build(atoms, TargetNoise{})).labels, clean = targets_of(build(atoms)).labels;
  CHECK(((labels - clean).transpose() * z).norm() > 1);
  CHECK((labels.colwise().sum().array() - 1).abs().maxCoeff() < 1e-12);
}

TEST_CASE("No noise draws nothing, and noise leaves the replay alone") {
  const value::DqnOptions small{.batch_size = 8, .learning_starts = 10};
  Dqn plain(network, small);
  Dqn silent(network, small, TargetNoise{.deviation = 0});
  Dqn noisy(network, small, TargetNoise{});
  show_random_transitions(plain, 100);
  show_random_transitions(silent, 100);
  show_random_transitions(noisy, 100);
  CHECK(first_difference(plain.learner(), silent.learner()).empty());
  CHECK(plain.parameters() != noisy.parameters());
  Dqn later(network, {.batch_size = 8, .learning_starts = 1'000}, TargetNoise{});
  show_random_transitions(later, 100);
  const auto remembered = later.learner().replay_state;
  Rng rng(1);
  later.learn(rng);
  CHECK(first_difference(remembered, later.learner().replay_state).empty());
}

TEST_CASE("Noise of a negative or infinite deviation is refused") {
  CHECK_THROWS_WITH((TargetNoise{.deviation = -1}.validate()), Catch::Contains("value::TargetNoise: deviation"));
  CHECK_THROWS_AS(Dqn(network, {}, TargetNoise{.deviation = INFINITY}), Error);
}
