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
  Ring<Storage, float> ring(capacity, features);
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
      REQUIRE(batch.continues[k] == (e.terminated ? 0.0f : 1.0f));
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
  Ring<Float32, float> ring(101, 1);
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
  Ring<Float32, float> ring(100, 1);
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
  Ring<Float32, float> ring(10, 1);
  const Vector<float> a = Vector<float>::Zero(1), b = Vector<float>::Ones(1);
  Batch<float> batch;
  batch.resize(1, 3);
  batch.indices << ring.push({a, 0, 0.0, b, true, false}), ring.push({a, 0, 0.0, b, false, true}),
      ring.push({a, 0, 0.0, b, true, true});
  ring.gather(batch);
  CHECK(batch.continues == Eigen::Vector3f(0, 1, 0));
}

TEST_CASE("Actions may be vectors") {
  using Action = Vector<float>;
  Ring<Float32, float, Action> ring(10, 1, 2);
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
}
