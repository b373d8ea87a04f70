// SPDX-License-Identifier: Apache-2.0
#include <deque>
#include <map>

#include <mellow/core/rng.hpp>
#include <mellow/data/ring.hpp>
#include <mellow/data/uniform_replay.hpp>

#include "support/catch.hpp"

using namespace mellow;
using namespace mellow::data;

namespace {
Vector<float> whole_numbers(Index features, Rng& rng, Index below = 256) {
  Vector<float> x(features);
  for (float& v : x) v = static_cast<float>(rng.below(below));
  return x;
}

struct Remembered {
  Vector<float> observation, next;
  Index action, place;
  float reward;
  bool terminated;
};

/// Episodes of random length into a ring, beside a list of what should be in it.
template <class Storage>
void expect_faithful(Index below, Index capacity, Index longest) {
  Rng rng(static_cast<std::uint64_t>(capacity * 100 + longest));
  const Index features = 13;
  Ring<Storage, float> ring({capacity, features});
  std::deque<Remembered> expected;
  Vector<float> observation = whole_numbers(features, rng, below);
  Index left = 1 + rng.below(longest);
  for (int i = 0; i < 300; ++i) {
    const bool ends = --left == 0, terminated = ends && rng.uniform() < 0.5;
    Remembered r{observation, whole_numbers(features, rng, below), rng.below(5),
                 0,           static_cast<float>(rng.normal()),    terminated};
    r.place = ring.push({r.observation, r.action, r.reward, r.next, terminated, ends && !terminated});
    std::erase_if(expected, [&](const Remembered& old) { return !ring.starts(old.place) || old.place == r.place; });
    expected.push_back(r);
    observation = r.next;
    if (ends) {
      observation = whole_numbers(features, rng, below);
      left = 1 + rng.below(longest);
    }
    REQUIRE(ring.size() == static_cast<Index>(expected.size()));
    Batch<float> batch;
    batch.resize(features, ring.size());
    for (Index k = 0; k < ring.size(); ++k) batch.indices[k] = expected[static_cast<std::size_t>(k)].place;
    ring.gather(batch);
    for (Index k = 0; k < ring.size(); ++k) {
      const Remembered& e = expected[static_cast<std::size_t>(k)];
      REQUIRE(batch.observations.col(k) == e.observation);
      REQUIRE(batch.next_observations.col(k) == e.next);
      REQUIRE(batch.actions[k] == e.action);
      REQUIRE(batch.rewards[k] == e.reward);
      REQUIRE(batch.discounts[k] == (e.terminated ? 0.0f : 1.0f));
    }
  }
  CHECK(ring.size() >=
        std::min<Index>(
            300, (capacity - 1) / 2));  // at worst every transition needs a second place for its last observation
}
}  // namespace

TEST_CASE("A ring gives back the newest transitions exactly, across episode ends and its own") {
  for (const Index capacity : {2, 3, 7, 50, 1000})
    for (const Index longest : {1, 2, 10, 400}) {
      expect_faithful<Float32>(256, capacity, longest);
      expect_faithful<UInt8>(256, capacity, longest);
      expect_faithful<Bits>(2, capacity, longest);
    }
}

TEST_CASE("A ring stores each observation of an episode once") {
  Ring<Float32, float> ring({101, 1});
  Vector<float> observation = Vector<float>::Zero(1);
  for (int i = 0; i < 100; ++i) {
    const Vector<float> next = observation.array() + 1;
    ring.push({observation, 0, 0.0, next, false, i == 99});
    observation = next;
  }
  CHECK(ring.size() == 100);
  CHECK(ring.places() == 101);
}

TEST_CASE("Transitions that do not follow one another are kept apart") {  // two environments in turns
  Ring<Float32, float> ring({100, 1});
  Batch<float> batch;
  batch.resize(1, 1);
  for (int i = 0; i < 20; ++i)
    for (const float offset : {0.0f, 1000.0f}) {
      const Vector<float> now = Vector<float>::Constant(1, offset + static_cast<float>(i)), next = now.array() + 1;
      batch.indices[0] = ring.push({now, 0, 0.0, next});
      ring.gather(batch);
      CHECK(batch.observations(0, 0) == now[0]);
      CHECK(batch.next_observations(0, 0) == next[0]);
    }
  CHECK(ring.size() == 40);
}

TEST_CASE("Truncation continues, termination does not") {
  Ring<Float32, float> ring({10, 1});
  const Vector<float> a = Vector<float>::Zero(1), b = Vector<float>::Ones(1);
  Batch<float> batch;
  batch.resize(1, 3);
  batch.indices << ring.push({a, 0, 0.0, b, true, false}), ring.push({a, 0, 0.0, b, false, true}),
      ring.push({a, 0, 0.0, b, true, true});
  ring.gather(batch);
  CHECK(batch.discounts == Eigen::Vector3f(0, 1, 0));
}

TEST_CASE("Actions may be vectors") {
  using Action = Vector<float>;
  Ring<Float32, float, Action> ring({.capacity = 10, .features = 1, .action_size = 2});
  const Action action = Eigen::Vector2f(0.5f, -1);
  const Vector<float> a = Vector<float>::Zero(1), b = Vector<float>::Ones(1);
  Batch<float, Action> batch;
  batch.resize(1, 1, 2);
  batch.indices[0] = ring.push({a, action, 0.0, b});
  ring.gather(batch);
  CHECK(batch.actions.col(0) == action);
}

TEST_CASE("Storages take the space they promise and round") {
  CHECK(Float32::bytes(10) == 40);
  CHECK(UInt8::bytes(10) == 10);
  CHECK(Bits::bytes(16) == 2);
  CHECK(Bits::bytes(17) == 3);
  const float numbers[] = {-5.0f, 0.4f, 254.6f, 300.0f};
  std::byte bytes[4];
  float back[4];
  UInt8::encode(numbers, 4, bytes);
  UInt8::decode(bytes, 4, back);
  CHECK(std::vector(back, back + 4) == std::vector{0.0f, 0.0f, 255.0f, 255.0f});
  Bits::encode(numbers, 4, bytes);
  Bits::decode(bytes, 4, back);
  CHECK(std::vector(back, back + 4) == std::vector{0.0f, 0.0f, 1.0f, 1.0f});
}

TEST_CASE("Uniform replay draws every transition equally often, and nothing from an empty one") {
  const UniformReplay replay{.capacity = 20};
  auto ring = replay.make_state<float>(1);
  Batch<float> batch;
  batch.resize(1, 1000);
  Rng rng(1);
  CHECK_THROWS_WITH(replay.sample(ring, batch, rng),
                    Catch::Contains("data::UniformReplay") && Catch::Contains("empty"));
  Vector<float> now(1), next(1);
  for (int i = 0; i < 100; ++i) {
    now << static_cast<float>(2 * i);
    next << static_cast<float>(2 * i + 1);
    replay.push(ring, Transition<>{now, 0, static_cast<double>(i), next, i % 3 == 0, false});
  }
  std::map<float, int> counts;
  for (int round = 0; round < 10; ++round) {
    replay.sample(ring, batch, rng);
    for (Index i = 0; i < 1000; ++i) {
      ++counts[batch.rewards[i]];
      REQUIRE(batch.next_observations(0, i) == batch.observations(0, i) + 1);
    }
  }
  CHECK(static_cast<Index>(counts.size()) == ring.size());
  for (const auto& [reward, count] : counts)
    CHECK(count == Approx(10'000.0 / static_cast<double>(ring.size())).epsilon(0.2));
  CHECK(counts.rbegin()->first == 99);
  CHECK_THROWS_AS(UniformReplay{.capacity = 1}.validate(), Error);
  CHECK_THROWS_AS(UniformReplay{.steps = 0}.validate(), Error);
  CHECK_NOTHROW(UniformReplay{.capacity = 7, .steps = 4, .stack = 3}.validate());
  CHECK_THROWS_WITH((UniformReplay{.capacity = 6, .steps = 4, .stack = 3}.validate()),
                    "data::UniformReplay: capacity must be greater than the 6 places that returns of 4 steps need "
                    "(got 6)");
}

namespace {
/// An episode that is pushed step by step: `frames` random frames, observations of `stack` of them as FrameStack makes.
struct StackedEpisode {
  std::vector<Vector<float>> frames;
  Index stack;
  Vector<float> observation(Index t) const {
    const Index size = frames[0].size();
    Vector<float> o(stack * size);
    for (Index f = 0; f < stack; ++f)
      o.segment(f * size, size) = frames[static_cast<std::size_t>(std::max<Index>(0, t - stack + 1 + f))];
    return o;
  }
};
}  // namespace

TEST_CASE("Stacked frames are stored once and given back whole, across episode ends and the ring's own") {
  Rng rng(4);
  for (const Index stack : {1, 2, 4})
    for (const Index capacity : {5, 6, 9, 40}) {
      CAPTURE(stack, capacity);
      const Index frame = 3;
      Ring<UInt8, float> ring({.capacity = capacity, .features = stack * frame, .stack = stack});
      std::map<Index, std::pair<Vector<float>, Vector<float>>> expected;  // by place
      Batch<float> batch;
      batch.resize(stack * frame, 1);
      for (int episode = 0; episode < 30; ++episode) {
        StackedEpisode e{{}, stack};
        const Index length = 1 + rng.below(12), begin = rng.below(3);  // some are first seen in their middle
        for (Index t = 0; t <= begin + length; ++t) e.frames.push_back(whole_numbers(frame, rng));
        for (Index t = begin; t < begin + length; ++t) {
          const Vector<float> now = e.observation(t), next = e.observation(t + 1);
          expected[ring.push({now, 0, 0.0, next, false, t + 1 == begin + length})] = {now, next};
          std::erase_if(expected, [&](const auto& old) { return !ring.starts(old.first); });
          REQUIRE(ring.size() == static_cast<Index>(expected.size()));
          REQUIRE(ring.size() >= 1);
          for (const auto& [place, pair] : expected) {
            batch.indices[0] = place;
            ring.gather(batch);
            REQUIRE(batch.observations.col(0) == pair.first);
            REQUIRE(batch.next_observations.col(0) == pair.second);
          }
        }
      }
    }
  CHECK_THROWS_WITH((Ring<UInt8, float>({.capacity = 9, .features = 7, .stack = 2})), Catch::Contains("equal frames"));
  CHECK_THROWS_WITH((Ring<UInt8, float>({.capacity = 4, .features = 8, .stack = 4})), Catch::Contains("capacity"));
}

TEST_CASE("n-step returns sum what follows and lose nothing at episode ends") {
  const double discount = 0.5;
  Ring<Float32, double> ring({100, 1});
  const auto push = [&](int i, bool terminated, bool truncated) {
    const Vector<float> now = Vector<float>::Constant(1, static_cast<float>(i)), next = now.array() + 1;
    return ring.push({now, 0, static_cast<double>(i), next, terminated, truncated});
  };
  Batch<double> batch;
  batch.resize(1, 10);
  batch.discount = discount;
  for (int i = 0; i < 10; ++i) batch.indices[i] = push(i, i == 3, i == 7);  // ends: 3 terminates, 7 is truncated
  ring.gather(batch, 3);
  for (int i = 0; i < 10; ++i) {
    CAPTURE(i);
    const int last = std::min(i + 2, i <= 3 ? 3 : i <= 7 ? 7 : 9);
    double reward = 0;
    for (int k = i; k <= last; ++k) reward += std::pow(discount, k - i) * k;
    CHECK(batch.rewards[i] == reward);
    CHECK(batch.discounts[i] == (last == 3 ? 0.0 : std::pow(discount, last - i + 1)));
    CHECK(batch.next_observations(0, i) == static_cast<double>(last + 1));
  }
  push(10, false, false);  // what comes later lengthens the returns of what is known
  ring.gather(batch, 3);
  CHECK(batch.rewards[9] == 9 + 0.5 * 10);
}

TEST_CASE("A ring keeps the action mask of every next state") {
  Rng rng(6);
  for (const std::size_t actions : {std::size_t{3}, std::size_t{11}}) {
    Ring<Float32, float> ring({7, 1});
    std::map<Index, Eigen::Array<bool, Eigen::Dynamic, 1>> expected;
    Batch<float> batch;
    batch.resize(1, 1);
    Vector<float> now = Vector<float>::Zero(1);
    for (int i = 0; i < 40; ++i) {
      const Vector<float> next = now.array() + 1;
      Eigen::Array<bool, Eigen::Dynamic, 1> mask(actions);
      for (bool& allowed : mask) allowed = i == 20 || rng.uniform() < 0.5;
      const ActionMask given = i == 20 ? ActionMask{} : ActionMask{mask.data(), actions};  // none given: all allowed
      expected[ring.push({now, 0, 0.0, next, i % 5 == 4, false, given})] = mask;
      std::erase_if(expected, [&](const auto& old) { return !ring.starts(old.first); });
      for (const auto& [place, allowed] : expected) {
        batch.indices[0] = place;
        ring.gather(batch);
        REQUIRE((batch.next_allowed.col(0) == allowed).all());
      }
      now = next;
    }
  }
}

TEST_CASE("A capacity beyond the memory is refused in words") {
  constexpr Index ridiculous = 1'000'000'000'000'000'000;
  const std::string expected =
      "data::Ring: this many places of 40 bytes an observation do not fit into memory: lower the capacity (got "
      "1000000000000000000)";
  CHECK_THROWS_WITH((Ring<Float32, float>({ridiculous, 10})), expected);
  CHECK_THROWS_WITH(UniformReplay{.capacity = ridiculous}.make_state<float>(10), expected);
  CHECK_THROWS_WITH(UInt8Replay{.capacity = ridiculous}.make_state<float>(84 * 84), Catch::Contains("7056 bytes"));
}

TEST_CASE("A full ring owns the bytes of its frames and 13 a place") {  // an action, a reward, flags
  constexpr Index capacity = 1000;
  const auto bytes_a_place = [](auto ring, Index features, Index frame) {
    Rng rng(8);
    Vector<float> now = Vector<float>::Zero(features), next(features);
    for (Index t = 0; t < 2 * capacity; ++t) {
      next << now.tail(features - frame), whole_numbers(frame, rng, 2);
      ring.push({now, 0, 0.0, next, t % 100 == 99});
      now = next;
    }
    REQUIRE(ring.size() > capacity * 9 / 10);
    return static_cast<double>(state_bytes(ring)) / capacity;
  };
  const double minatar = bytes_a_place(Ring<Bits, float>({capacity, 10 * 10 * 6}), 10 * 10 * 6, 10 * 10 * 6);
  CHECK(minatar == Approx(75 + 13).margin(0.1));
  CHECK(minatar * 100'000 < 25e6);
  const double frames = bytes_a_place(Ring<UInt8, float>({.capacity = capacity, .features = 4 * 84 * 84, .stack = 4}),
                                      4 * 84 * 84, 84 * 84);
  CHECK(frames == Approx(84 * 84 + 13).margin(0.1));
  CHECK(frames * 100'000 < 0.8e9);
}
