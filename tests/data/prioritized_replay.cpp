// SPDX-License-Identifier: Apache-2.0
#include <mellow/data/prioritized_replay.hpp>
#include <mellow/nn/mlp.hpp>
#include <mellow/value/dqn.hpp>

#include "support/catch.hpp"
#include "support/replay.hpp"

using namespace mellow;
using data::Batch;
using data::PrioritizedReplay;

namespace {
using State = PrioritizedReplay::State<double>;

/// One-number observations that count up, in episodes of three; rewards tell the transitions apart.
void push_transitions(const PrioritizedReplay& replay, State& state, int transitions) {
  for (int i = 0; i < transitions; ++i) {
    const Vector<float> now = Vector<float>::Constant(1, static_cast<float>(i)), next = now.array() + 1;
    replay.push(state, Transition<>{now, 0, static_cast<double>(i), next, i % 3 == 2, false});
  }
}

/// p^alpha of every place by the definition: the largest for what is new, 0 where no transition starts.
void expect_priorities(const State& state, const std::vector<double>& expected) {
  for (Index place = 0; place < state.ring.capacity(); ++place) {
    CAPTURE(place);
    CHECK(state.priorities[place] ==
          Approx(state.ring.starts(place) ? expected[static_cast<std::size_t>(place)] : 0.0).epsilon(1e-14));
  }
}
}  // namespace

TEST_CASE("Priorities follow the transitions around the ring") {
  const PrioritizedReplay replay{.capacity = 10, .alpha = 0.5};
  State state = replay.make_state<double>(1);
  for (int i = 1; i < 60; ++i) {
    push_transitions(replay, state, i);
    expect_priorities(state, std::vector<double>(10, 1.0));
    CHECK(state.priorities.total() == static_cast<double>(state.ring.size()));
  }
}

TEST_CASE("Draws and weights are those of the definition") {
  const PrioritizedReplay replay{.capacity = 40, .alpha = 0.5, .beta = 0.4, .epsilon = 0.25};
  State state = replay.make_state<double>(1);
  push_transitions(replay, state, 24);
  Batch<double> batch;
  batch.resize(1, state.ring.size());
  Index at = 0;
  for (Index place = 0; place < 40; ++place)
    if (state.ring.starts(place)) batch.indices[at++] = place;
  for (Index i = 0; i < batch.size(); ++i) batch.errors[i] = (i % 2 == 0 ? 1 : -1) * (static_cast<double>(i) - 0.25);
  replay.set_priorities(state, batch);
  std::vector<double> expected(40);
  double total = 0;
  for (Index i = 0; i < batch.size(); ++i)
    total += expected[static_cast<std::size_t>(batch.indices[i])] = std::sqrt(std::abs(batch.errors[i]) + 0.25);
  expect_priorities(state, expected);
  CHECK(state.largest == Approx(std::sqrt(23.0)).epsilon(1e-14));

  const Index size = 8, rounds = 20'000;
  batch.resize(1, size);
  std::vector<double> counts(40);
  Rng rng(3);
  for (Index round = 0; round < rounds; ++round) {
    replay.sample(state, batch, rng);
    double before = 0;  // stratified: draw i comes from the i-th eighth of the sum
    double largest = 0;
    for (Index i = 0; i < size; ++i) {
      const Index place = batch.indices[i];
      before = 0;
      for (Index k = 0; k < place; ++k) before += expected[static_cast<std::size_t>(k)];
      const double share = total / static_cast<double>(size),
                   after = before + expected[static_cast<std::size_t>(place)];
      REQUIRE(before <= static_cast<double>(i + 1) * share + 1e-9);
      REQUIRE(after >= static_cast<double>(i) * share - 1e-9);
      counts[static_cast<std::size_t>(place)] += 1;
      largest = std::max(largest, std::pow(24 * expected[static_cast<std::size_t>(place)] / total, -0.4));
    }
    for (Index i = 0; i < size; ++i) {
      const double p = expected[static_cast<std::size_t>(batch.indices[i])] / total;
      REQUIRE(batch.weights[i] == Approx(std::pow(24 * p, -0.4) / largest).epsilon(1e-12));
    }
  }
  for (std::size_t place = 0; place < 40; ++place) {  // 5 deviations of a binomial count, at the most
    const double p = expected[place] / total, n = static_cast<double>(size * rounds);
    CHECK(std::abs(counts[place] - n * p) <= 5 * std::sqrt(n * p) + 1e-9);
  }
}

TEST_CASE("Without priorities or correction the weights are 1") {
  Batch<double> batch;
  batch.resize(1, 16);
  Rng rng(1);
  for (const auto& replay : {PrioritizedReplay{.alpha = 0, .beta = 1}, PrioritizedReplay{.alpha = 1, .beta = 0}}) {
    State state = replay.make_state<double>(1);
    CHECK_THROWS_WITH(replay.sample(state, batch, rng), Catch::Contains("empty"));
    push_transitions(replay, state, 30);
    for (int i = 0; i < 10; ++i) {
      replay.sample(state, batch, rng);
      CHECK(batch.weights == Vector<double>::Ones(16));
      batch.errors.setRandom();
      replay.set_priorities(state, batch);
    }
  }
}

TEST_CASE("A deep Q agent sets priorities by its errors and anneals beta by its batches") {
  value::Dqn agent(nn::Mlp<double>({2, 8, 3}), {.batch_size = 8, .learning_starts = 10},
                   PrioritizedReplay{.capacity = 100, .alpha = 1, .epsilon = 0.5});
  show_random_transitions(agent, 60);
  auto& l = agent.learner();
  CHECK(l.replay_state.batches == 51);
  Rng rng(5);
  agent.learn(rng);
  for (Index i = 0; i < 8; ++i)
    CHECK(l.replay_state.priorities[l.batch.indices[i]] == Approx(std::abs(l.batch.errors[i]) + 0.5).epsilon(1e-14));
}

TEST_CASE("Prioritised replay refuses numbers out of range") {
  CHECK_THROWS_WITH(PrioritizedReplay{.alpha = 1.5}.validate(), Catch::Contains("alpha") && Catch::Contains("1.5"));
  CHECK_THROWS_AS(PrioritizedReplay{.beta = 2}.validate(), Error);
  CHECK_THROWS_AS(PrioritizedReplay{.epsilon = 0}.validate(), Error);
  CHECK_THROWS_AS(PrioritizedReplay{.steps = 0}.validate(), Error);
  CHECK_THROWS_AS((PrioritizedReplay{.capacity = 3, .stack = 3}.validate()), Error);
  CHECK_THROWS_WITH(PrioritizedReplay{.capacity = 1'000'000'000'000'000'000}.make_state<float>(10),
                    Catch::Contains("do not fit into memory"));
}

TEST_CASE("Errors of transitions that were overwritten give no priority to a place without one") {
  const PrioritizedReplay replay{.capacity = 4};
  State state = replay.make_state<double>(1);
  push_transitions(replay, state, 3);
  Batch<double> batch;
  batch.resize(1, 8);
  Rng rng(3);
  replay.sample(state, batch, rng);
  push_transitions(replay, state, 2);
  batch.errors.setConstant(1e4);
  replay.set_priorities(state, batch);
  for (Index place = 0; place < 4; ++place)
    if (!state.ring.starts(place)) CHECK(state.priorities[place] == 0);
  replay.sample(state, batch, rng);
  for (const Index place : batch.indices) CHECK(state.ring.starts(place));
}
