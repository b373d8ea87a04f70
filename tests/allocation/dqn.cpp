// SPDX-License-Identifier: Apache-2.0
// After warm-up a training step takes nothing from the heap, whatever the batch, the width and the parts.
#include <mellow/data/prioritized_replay.hpp>
#include <mellow/environments/cart_pole.hpp>
#include <mellow/environments/duplicate_actions.hpp>
#include <mellow/environments/minatar/breakout.hpp>
#include <mellow/environments/pendulum.hpp>
#include <mellow/environments/time_limit.hpp>
#include <mellow/nn/convolution.hpp>
#include <mellow/nn/dueling.hpp>
#include <mellow/nn/flatten.hpp>
#include <mellow/nn/gelu.hpp>
#include <mellow/nn/layer_norm.hpp>
#include <mellow/nn/mlp.hpp>
#include <mellow/nn/noisy.hpp>
#include <mellow/nn/optimizers.hpp>
#include <mellow/nn/sequential.hpp>
#include <mellow/nn/sigmoid.hpp>
#include <mellow/operators/mellowmax.hpp>
#include <mellow/training/run.hpp>
#include <mellow/value/categorical_head.hpp>
#include <mellow/value/dqn.hpp>
#include <mellow/value/greedy_policy.hpp>
#include <mellow/value/proximal.hpp>
#include <mellow/value/quantile_head.hpp>
#include <mellow/value/rainbow.hpp>
#include <mellow/value/replicate.hpp>
#include <mellow/value/reset_optimizer.hpp>
#include <mellow/value/similarity_head.hpp>
#include <mellow/value/target_change_diagnosis.hpp>
#include <mellow/value/target_movement.hpp>
#include <mellow/value/target_noise.hpp>

#include "allocation/counter.hpp"
#include "support/catch.hpp"

using namespace mellow;

namespace {

const environments::TimeLimit cart_pole(environments::CartPole{}, 7);  // so that episodes end while it is counted

/// Allocations of `steps` steps of acting, stepping the environment, remembering and learning, after as many that warm
/// up.
template <class Agent, class E = std::remove_const_t<decltype(cart_pole)>>
std::size_t allocations(Agent agent, Index steps, E environment = cart_pole) {
  Rng rng(1);
  Vector<float> observation(environment.observation_space().size()), next(observation.size());
  std::size_t before = 0;
  environment.reset(rng);
  environment.observe(observation);
  for (Index i = 0; i < 2 * steps; ++i) {
    if (i == steps) before = heap_allocations();
    const Index action = agent.act(observation, rng);
    const Step step = environment.step(action, rng);
    environment.observe(next);
    agent.observe({observation, action, step.reward, next, step.terminated, step.truncated}, rng);
    if (step.terminated || step.truncated) environment.reset(rng);
    environment.observe(observation);
  }
  const std::size_t after = heap_allocations();
  REQUIRE(agent.learner().counters.updates * agent.options().update_every == 2 * steps);
  REQUIRE(agent.learner().counters.target_changes >= 1);
  return after - before;
}

constexpr value::DqnOptions learn_at_once{.batch_size = 32, .learning_starts = 1};

template <class... Parts>
std::size_t allocations_with(const Parts&... parts) {
  return allocations(value::Dqn(nn::Mlp({4, 64, 64, 2}), learn_at_once, parts...), 300);
}

}  // namespace

TEST_CASE("A step of DQN does not allocate, for any batch and width") {
  for (const Index batch : {1, 3, 64, 256, 1024})
    for (const Index width : {4, 64, 256, 512}) {
      CAPTURE(batch, width);
      const value::DqnOptions options{.batch_size = batch, .learning_starts = 1};
      const value::PeriodicCopy often{.every = 5};
      const data::UniformReplay small{.capacity = 16};  // is overwritten while it is counted
      CHECK(allocations(value::Dqn(nn::Mlp({4, width, width, 2}), options, often, small), 12) == 0);
    }
}

TEST_CASE("A step of DQN does not allocate, for any parts") {
  CHECK(allocations_with() == 0);
  CHECK(allocations_with(value::DoubleQ{}) == 0);
  CHECK(allocations_with(operators::Mellowmax{}) == 0);
  CHECK(allocations_with(value::Polyak{}) == 0);
  CHECK(allocations_with(value::SimilarityHead{.similarity = Matrix<double>::Ones(2, 2)}, value::DoubleQ{}) == 0);
  CHECK(allocations_with(data::UInt8Replay{.capacity = 100}) == 0);
  CHECK(allocations_with(data::BitReplay{.capacity = 100}) == 0);
  CHECK(allocations_with(nn::Sgd{.learning_rate = linear(1e-2, 1e-3, 100)}) == 0);
  CHECK(allocations_with(value::DoubleQ{}, value::Polyak{}, data::UInt8Replay{},
                         operators::EpsilonGreedy{.epsilon = 0.0}) == 0);
  CHECK(allocations(value::Dqn(nn::Mlp({4, 64, 64, 2}, nn::Tanh{}), learn_at_once), 300) == 0);
  CHECK(allocations(value::Dqn(nn::Mlp<double>({4, 64, 64, 2}), learn_at_once), 300) == 0);
}

TEST_CASE("A step of DQN does not allocate, for any optimiser and composition") {
  CHECK(allocations_with(nn::AdamW{}) == 0);
  CHECK(allocations_with(nn::RAdam{}) == 0);
  CHECK(allocations_with(nn::RMSProp::nature()) == 0);
  CHECK(allocations_with(nn::RMSProp{.momentum = 0.9}) == 0);
  CHECK(allocations_with(nn::Adagrad{}) == 0);
  CHECK(allocations_with(nn::Sgd{.momentum = 0.9, .weight_decay = 0.01}) == 0);
  CHECK(allocations_with(value::PeriodicCopy{.every = 50}, value::ResetOptimizer{}, value::TargetChangeDiagnosis{},
                         value::TargetMovement{}) == 0);
  const nn::Sequential network(nn::Dense(4, 64), nn::LayerNorm(64), nn::SiLU{}, nn::Mlp({64, 32, 32}), nn::GELU{},
                               nn::Dense(32, 2));
  CHECK(allocations(value::Dqn(network, learn_at_once), 300) == 0);
}

TEST_CASE("A step of DQN does not allocate, for convolutions, noise, dueling streams and distributions") {
  const nn::Convolution valid({2, 2, 1}, {.filters = 16, .kernel = {1, 2}}),
      same(valid.output_image(), {.filters = 8, .padding = nn::Padding::Same});
  const auto network = [&](Index atoms) {
    return nn::Sequential(valid, nn::ReLU{}, same, nn::ReLU{}, nn::Flatten(same.output_image()),
                          nn::Dueling(nn::NoisyDense(16, atoms), nn::NoisyDense(16, 2 * atoms)));
  };
  const value::PeriodicCopy often{.every = 50};
  CHECK(allocations(value::Dqn(network(1), learn_at_once, often), 300) == 0);
  CHECK(allocations(value::Dqn(network(51), learn_at_once, often, value::CategoricalHead{}), 300) == 0);
  CHECK(allocations(value::Dqn(network(51), learn_at_once, often, value::CategoricalHead{}, value::DoubleQ{}), 300) ==
        0);
  CHECK(allocations(value::Dqn(network(20), learn_at_once, often, value::QuantileHead{.quantiles = 20}), 300) == 0);
}

TEST_CASE("A step of DQN does not allocate with pulls, noise of targets and targets in function space") {
  CHECK(allocations_with(value::Proximal{}, value::TargetNoise{}) == 0);
  CHECK(allocations_with(value::ProximalPenalty{}) == 0);
  const value::Replicate<> often{.every = 50, .steps = 5}, taken{.every = 50, .steps = 5, .all_actions = false};
  CHECK(allocations_with(often) == 0);
  CHECK(allocations_with(taken, data::PrioritizedReplay{.capacity = 500}) == 0);
  const value::TargetNetwork wide{nn::Mlp({4, 128, 2})};
  CHECK(allocations_with(often, wide) == 0);
  CHECK(allocations(value::Dqn(nn::Mlp({4, 64, 102}), learn_at_once, often, value::CategoricalHead{}), 300) == 0);
  CHECK(allocations(value::Dqn(nn::Mlp({4, 64, 102}), learn_at_once, taken, value::CategoricalHead{}), 300) == 0);
  CHECK(allocations(value::Dqn(nn::Mlp({4, 64, 20}), learn_at_once, often, value::QuantileHead{.quantiles = 10}),
                    300) == 0);
}

TEST_CASE("A frame of Rainbow in Breakout does not allocate, with pulls, resets and targets in function space") {
  const environments::minatar::Breakout breakout({.minimal_actions = true});
  const value::CategoricalHead head{.v_min = -100, .v_max = 100};
  const nn::Convolution filters({10, 10, 4}, {.filters = 16, .padding = nn::Padding::Same});
  const nn::Flatten flatten(filters.output_image());
  const nn::Sequential network(
      filters, nn::ReLU{}, flatten,
      nn::Dueling(nn::NoisyDense(flatten.outputs(), head.atoms), nn::NoisyDense(flatten.outputs(), 3 * head.atoms)));
  const auto frames = [&](const auto&... parts) {
    const value::DqnOptions options{.batch_size = 32, .learning_starts = 1, .update_every = 4};
    const data::PrioritizedBitReplay small{.capacity = 50, .alpha = 0.5, .steps = 3};
    return allocations(value::rainbow(network, options, head, small, parts...), 40, breakout);
  };
  const value::PeriodicCopy often{.every = 3};
  CHECK(frames(often) == 0);
  CHECK(frames(often, value::Proximal{.c = 0.025}, value::ResetOptimizer{}) == 0);
  CHECK(frames(value::Replicate<>{.every = 3, .steps = 2}, value::ResetOptimizer{}) == 0);
}

TEST_CASE("The run loop does not allocate between evaluations") {
  struct Watch {
    std::size_t before = 0, after = 0;
    void on_step(const training::RunStatus& status) {
      if (status.step == 300) before = heap_allocations();
      if (status.step == 600) after = heap_allocations();
    }
    void on_episode(const training::RunStatus&) { ++episodes; }
    int episodes = 0;
  } watch;
  value::Dqn agent(nn::Mlp({4, 64, 64, 2}), learn_at_once);
  training::train(agent, cart_pole, {.steps = 600, .evaluate_every = 0}, watch);
  CHECK(watch.episodes > 80);
  CHECK(watch.after - watch.before == 0);
}

TEST_CASE("A step with more actions does not allocate") {
  const auto expect_none = [](auto environment) {
    Rng rng(1);
    environment.reset(rng);
    const std::size_t before = heap_allocations();
    for (Index i = 0; i < 100; ++i) environment.step(i % environment.action_space().n, rng);
    CHECK(heap_allocations() == before);
  };
  expect_none(environments::DuplicateActions(environments::CartPole{}, 3));
  expect_none(environments::RandomActions(environments::CartPole{}, 3));
  expect_none(
      environments::SemiDuplicateActions(environments::DiscretizedActions(environments::Pendulum{}, 3), 4, 0.5));
}

TEST_CASE("A greedy policy does not allocate") {
  value::GreedyPolicy policy(nn::Mlp({4, 64, 64, 3}), Vector<float>::Ones(nn::Mlp({4, 64, 64, 3}).parameters()));
  const Vector<float> observation = Vector<float>::Ones(4);
  const std::array<bool, 3> mask{false, true, true};
  CHECK(policy.greedy(observation, mask) == 1);
  const std::size_t before = heap_allocations();
  for (int i = 0; i < 100; ++i) policy.greedy(observation, i % 2 == 0 ? ActionMask() : ActionMask(mask));
  CHECK(heap_allocations() == before);
}
