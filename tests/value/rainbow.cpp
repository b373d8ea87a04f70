// SPDX-License-Identifier: Apache-2.0
// Hessel et al. 2018: the parts of Rainbow, and that each can be left out.
#include <catch2/catch.hpp>

#include <mellow/environments/cart_pole.hpp>
#include <mellow/environments/time_limit.hpp>
#include <mellow/nn/dueling.hpp>
#include <mellow/nn/mlp.hpp>
#include <mellow/nn/noisy.hpp>
#include <mellow/nn/sequential.hpp>
#include <mellow/training/run.hpp>
#include <mellow/value/proximal.hpp>
#include <mellow/value/quantile_head.hpp>
#include <mellow/value/rainbow.hpp>

using namespace mellow;
using value::CategoricalHead;

namespace {

constexpr CategoricalHead head{.atoms = 11, .v_min = 0, .v_max = 100};

auto noisy_dueling(Index numbers) {
  using nn::NoisyDense;
  return nn::Sequential(nn::Mlp<float, nn::ReLU, nn::ReLU>({4, 16}),
                        nn::Dueling(NoisyDense(16, numbers), NoisyDense(16, 2 * numbers)));
}

nn::Mlp<> plain(Index numbers) { return nn::Mlp{{4, 16, 2 * numbers}}; }

constexpr value::DqnOptions options{.batch_size = 8, .learning_starts = 20};

/// The parameters after a few updates on CartPole.
template <class Agent>
Vector<float> trained(Agent agent) {
  training::train(agent, environments::TimeLimit(environments::CartPole{}, 500),
                  {.steps = 200, .evaluate_every = 0, .seed = 3});
  return agent.parameters();
}

}  // namespace

TEST_CASE("Rainbow is Dqn with its parts, bit for bit") {
  const auto rainbow = trained(value::rainbow(noisy_dueling(11), options, head));
  const auto dqn =
      trained(value::Dqn(noisy_dueling(11), options, value::DoubleQ{}, head,
                         data::PrioritizedReplay{.alpha = 0.5, .steps = 3}, operators::EpsilonGreedy{.epsilon = 0.0}));
  CHECK(rainbow == dqn);
}

TEST_CASE("Each part of Rainbow can be left out") {
  const auto full = trained(value::rainbow(noisy_dueling(11), options, head));
  const auto differs = [&](const Vector<float>& other) {
    REQUIRE(other.size() == full.size());
    return other != full;
  };
  CHECK(differs(trained(value::rainbow(noisy_dueling(11), options, head, operators::Max{}))));
  CHECK(differs(trained(value::rainbow(noisy_dueling(11), options, head, data::UniformReplay{.steps = 3}))));
  CHECK(differs(trained(value::rainbow(noisy_dueling(11), options, head, data::PrioritizedReplay{.alpha = 0.5}))));
  CHECK(differs(trained(value::rainbow(noisy_dueling(11), options, value::QuantileHead{.quantiles = 11}))));
  CHECK(differs(trained(value::rainbow(noisy_dueling(11), options, head, value::Proximal{.c = 0.002}))));
  CHECK(trained(value::rainbow(noisy_dueling(1), options, value::ScalarHead{})) ==
        trained(value::Dqn(noisy_dueling(1), options, value::DoubleQ{}, operators::EpsilonGreedy{.epsilon = 0.0},
                           data::PrioritizedReplay{.alpha = 0.5, .steps = 3})));
}

TEST_CASE("Where its network is not noisy, Rainbow explores as Dqn does") {
  CHECK(trained(value::rainbow(plain(11), options, head)) ==
        trained(
            value::Dqn(plain(11), options, value::DoubleQ{}, head, data::PrioritizedReplay{.alpha = 0.5, .steps = 3})));
}

TEST_CASE("Rainbow needs no options") {
  const auto agent = value::rainbow(noisy_dueling(51));
  CHECK(agent.options().batch_size == value::DqnOptions{}.batch_size);
}
