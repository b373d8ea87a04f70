// SPDX-License-Identifier: Apache-2.0
#include <deque>

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

TEST_CASE(
    "Rainbow's weights: losses 1, 1/16 and 16 have priorities 1, 1/4 and 4, weights 1/2, 1 and 1/4 (dqn_pro.md, T9)") {
  const PrioritizedReplay replay{.capacity = 10, .alpha = 0.5, .beta = 0.5, .epsilon = 1e-10};
  State state = replay.make_state<double>(1);
  push_transitions(replay, state, 3);
  Batch<double> batch;
  batch.resize(1, 3);
  Index at = 0;
  for (Index place = 0; place < 10; ++place)
    if (state.ring.starts(place)) batch.indices[at++] = place;
  const Vector<Index> places = batch.indices;
  batch.errors = Eigen::Vector3d(1, 1.0 / 16, 16);
  replay.set_priorities(state, batch);
  for (Index i = 0; i < 3; ++i)
    CHECK(state.priorities[places[i]] == Approx(std::array{1.0, 0.25, 4.0}[static_cast<std::size_t>(i)]));

  batch.resize(1, 100);
  Rng rng(1);
  replay.sample(state, batch, rng);
  std::array<Index, 3> drawn{};
  for (Index i = 0; i < 100; ++i)
    for (std::size_t k = 0; k < 3; ++k)
      if (batch.indices[i] == places[static_cast<Index>(k)]) {
        ++drawn[k];
        CHECK(batch.weights[i] == Approx(std::array{0.5, 1.0, 0.25}[k]));
      }
  CHECK((drawn[0] > 15 && drawn[1] > 2 && drawn[2] > 70));  // of 19.0, 4.8 and 76.2 in expectation
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
  CHECK_NOTHROW(PrioritizedReplay{.capacity = 7, .steps = 4, .stack = 3}.validate());
  CHECK_THROWS_WITH((PrioritizedReplay{.capacity = 6, .steps = 4, .stack = 3}.validate()),
                    "data::PrioritizedReplay: capacity must be greater than the 6 places that returns of 4 steps need "
                    "(got 6)");
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

namespace {

/// Everything that was ever pushed, with numbers of its own for what a replay should answer: no ring, no tree.
struct Everything {
  struct Pushed {
    Index oldest = 0, start = 0;  ///< when its oldest and its newest frame were stored
    Vector<float> observation, next;
    Index action = 0;
    float reward = 0;
    bool terminated = false, truncated = false;
    std::vector<bool> allowed;  ///< next; empty: all
    bool follows = false;       ///< the one before, in the same episode
  };
  Index capacity, stack, steps;
  double alpha, epsilon;
  Index time = -1;  ///< when the newest frame was stored; its place is time % capacity
  std::vector<Pushed> all{};
  std::vector<double> priorities = std::vector<double>(static_cast<std::size_t>(capacity));  ///< p^alpha by place
  double largest = 1.0;
  bool masks = false;

  Index place(const Pushed& p) const { return p.start % capacity; }
  bool kept(const Pushed& p) const { return p.oldest > time - capacity; }
  double& priority(const Pushed& p) { return priorities[static_cast<std::size_t>(place(p))]; }

  /// The transition that starts at a place now; -1 if none does.
  Index at(Index where) const {
    for (Index i = static_cast<Index>(all.size()) - 1; i >= 0; --i)
      if (const Pushed& p = all[static_cast<std::size_t>(i)]; place(p) == where && kept(p)) return i;
    return -1;
  }
  Index size() const {
    return std::count_if(all.begin(), all.end(), [&](const Pushed& p) { return kept(p); });
  }

  void push(Pushed p, Index frame) {
    if (!p.follows) {  // frames that the stack only repeats are not stored again
      Index distinct = 1;
      for (Index f = 1; f < stack; ++f)
        distinct += distinct > 1 || p.observation.segment(f * frame, frame) != p.observation.head(frame);
      p.oldest = time + 1;
      p.start = time + distinct;
    } else {
      const Pushed& before = all.back();
      p.start = before.start + 1;
      const Index first = before.start - before.oldest + 1 < stack ? before.oldest : before.oldest + 1;
      p.oldest = first;
    }
    time = p.start + 1;
    masks = masks || !p.allowed.empty();
    all.push_back(p);
    priority(p) = largest;
    for (Index where = 0; where < capacity; ++where)
      if (at(where) < 0) priorities[static_cast<std::size_t>(where)] = 0.0;
  }

  /// The last transition of the return that starts with number i.
  Index last(Index i) const {
    for (Index k = 1; k < steps; ++k, ++i) {
      const auto next = static_cast<std::size_t>(i) + 1;
      if (all[next - 1].terminated || next == all.size() || !all[next].follows) break;
    }
    return i;
  }
};

template <class Storage>
void expect_agreement(Index capacity, Index stack, Index steps, bool with_masks, std::uint64_t seed, int operations) {
  CAPTURE(capacity, stack, steps, with_masks, seed);
  const Index frame = 2, actions = 11;
  const float discount = 0.75f;
  data::PrioritizedReplayOf<Storage> replay{.capacity = capacity,
                                            .alpha = 0.7,
                                            .beta = linear(0.25, 1.0, 50),
                                            .epsilon = 0.125,
                                            .steps = steps,
                                            .stack = stack};
  auto state = replay.template make_state<float>(frame * stack);
  Everything oracle{capacity, stack, steps, replay.alpha, replay.epsilon};
  Rng rng(seed);
  Index number = 0;  // frames are told apart by it
  const auto fresh = [&] {
    ++number;
    return Vector<float>(Eigen::Vector2f(static_cast<float>(number % 256), static_cast<float>(number / 256 % 256)));
  };
  std::deque<Vector<float>> frames;  // the stack as an environment shows it
  const auto begin = [&] {
    frames.assign(static_cast<std::size_t>(stack), fresh());
    for (Index seen = rng.below(3) * rng.below(stack + 1); seen > 0; --seen) {  // some are first met in their middle
      frames.push_back(fresh());
      frames.pop_front();
    }
  };
  const auto stacked = [&] {
    Vector<float> o(frame * stack);
    for (Index f = 0; f < stack; ++f) o.segment(f * frame, frame) = frames[static_cast<std::size_t>(f)];
    return o;
  };

  Index batches = 0, whole = 0, shortened = 0, ended = 0, overwritten = 0;
  Batch<float> batch;
  batch.discount = discount;
  bool open = false;
  begin();
  for (int operation = 0; operation < operations; ++operation) {
    if (oracle.all.empty() || rng.uniform() < 0.7) {
      if (rng.uniform() < 0.03) {  // another episode, without an end of the one before
        begin();
        open = false;
      }
      Everything::Pushed p;
      p.follows = open;
      p.observation = stacked();
      frames.push_back(fresh());
      frames.pop_front();
      p.next = stacked();
      p.action = rng.below(actions);
      p.reward = static_cast<float>(rng.below(1000)) / 8;  // sums of few are exact
      const double end = rng.uniform();
      p.terminated = end < 0.1;
      p.truncated = end > 0.05 && end < 0.2;  // some are both
      if (with_masks && number > 20 && rng.uniform() < 0.8) {
        p.allowed.resize(static_cast<std::size_t>(actions));
        for (auto&& allowed : p.allowed) allowed = rng.uniform() < 0.5;
      }
      std::array<bool, 11> mask{};
      std::copy(p.allowed.begin(), p.allowed.end(), mask.begin());
      replay.push(state, Transition<>{p.observation, p.action, p.reward, p.next, p.terminated, p.truncated,
                                      ActionMask(mask.data(), p.allowed.size())});
      oracle.push(p, frame);
      open = !p.terminated && !p.truncated;
      if (!open) begin();
    } else {
      const Index size = 1 + rng.below(9);
      batch.resize(frame * stack, size);
      double total = 0.0;
      for (const double w : oracle.priorities) total += w;
      Rng copy = rng;  // the draws of the sample
      replay.sample(state, batch, rng);
      std::vector<double> weights;
      for (Index i = 0; i < size; ++i) {
        const double mass = (static_cast<double>(i) + copy.uniform()) * total / static_cast<double>(size);
        const Index place = batch.indices[i], found = oracle.at(place);
        REQUIRE(found >= 0);
        double before = 0.0;
        for (Index k = 0; k < place; ++k) before += oracle.priorities[static_cast<std::size_t>(k)];
        const double own = oracle.priorities[static_cast<std::size_t>(place)];
        REQUIRE(before <= mass + 1e-9 * total);
        REQUIRE(before + own >= mass - 1e-9 * total);
        const double beta = std::min(1.0, 0.25 + 0.75 * static_cast<double>(batches) / 50);
        weights.push_back(std::pow(static_cast<double>(oracle.size()) * own / total, -beta));

        const Index last = oracle.last(found);
        const auto& first = oracle.all[static_cast<std::size_t>(found)];
        const auto& end = oracle.all[static_cast<std::size_t>(last)];
        float reward = 0, factor = 1;
        for (Index k = found; k <= last; ++k, factor *= discount)
          reward += factor * oracle.all[static_cast<std::size_t>(k)].reward;
        REQUIRE(batch.observations.col(i) == first.observation);
        REQUIRE(batch.next_observations.col(i) == end.next);
        REQUIRE(batch.actions[i] == first.action);
        REQUIRE(batch.rewards[i] == Approx(reward).epsilon(1e-6));
        REQUIRE(batch.discounts[i] == (end.terminated ? 0.0f : factor));
        REQUIRE(batch.next_allowed.rows() == (oracle.masks ? actions : 0));
        Index wrong = 0;
        for (Index a = 0; a < batch.next_allowed.rows(); ++a)
          wrong += batch.next_allowed(a, i) != (end.allowed.empty() || end.allowed[static_cast<std::size_t>(a)]);
        REQUIRE(wrong == 0);
        whole += last - found + 1 == steps;
        shortened += last - found + 1 < steps;
        ended += end.terminated;
      }
      const double largest = *std::max_element(weights.begin(), weights.end());
      for (Index i = 0; i < size; ++i)
        REQUIRE(batch.weights[i] == Approx(weights[static_cast<std::size_t>(i)] / largest).epsilon(1e-5));
      ++batches;

      for (float& error : batch.errors) error = static_cast<float>(rng.normal(0.0, 3.0));
      replay.set_priorities(state, batch);
      for (Index i = 0; i < size; ++i) {  // of equal places the last counts, but all for the largest
        const double p = std::pow(std::abs(static_cast<double>(batch.errors[i])) + 0.125, 0.7);
        oracle.priorities[static_cast<std::size_t>(batch.indices[i])] = p;
        oracle.largest = std::max(oracle.largest, p);
      }
    }
    REQUIRE(state.ring.size() == oracle.size());
    double sum = 0.0;
    Index wrong = 0;  // places
    for (Index where = 0; where < capacity; ++where) {
      const double expected = oracle.priorities[static_cast<std::size_t>(where)];
      wrong += std::abs(state.priorities[where] - expected) > 1e-12 * expected;
      wrong += state.ring.starts(where) != (oracle.at(where) >= 0);
      sum += expected;
    }
    REQUIRE(wrong == 0);
    REQUIRE(state.priorities.total() == Approx(sum).epsilon(1e-12));
    REQUIRE(state.largest == Approx(oracle.largest).epsilon(1e-12));
    // What is forgotten is forgotten for good: the search for what is kept stays short.
    while (oracle.all.size() > static_cast<std::size_t>(2 * capacity) && !oracle.kept(oracle.all.front())) {
      oracle.all.erase(oracle.all.begin());
      ++overwritten;
    }
  }
  CHECK(batches > operations / 5);
  CHECK((whole > 0 && ended > 0 && overwritten > 2 * capacity));
  CHECK((shortened > 0) == (steps > 1));
}

}  // namespace

TEST_CASE("Prioritised replay agrees with a list of everything: stacks, n-step returns, ends, masks, wraps") {
  std::uint64_t seed = 0;
  for (const Index stack : {1, 2, 4})
    for (const Index steps : {1, 2, 3, 5})
      for (const Index capacity : {stack + steps, Index{13}, Index{64}}) {
        ++seed;
        expect_agreement<data::Float32>(capacity, stack, steps, seed % 2 == 0, seed, 800);
        expect_agreement<data::UInt8>(capacity, stack, steps, seed % 3 != 0, seed + 100, 800);
      }
}
