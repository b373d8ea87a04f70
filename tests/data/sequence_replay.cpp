// SPDX-License-Identifier: Apache-2.0
#include <mellow/data/sequence_replay.hpp>

#include "support/catch.hpp"

using namespace mellow;
using namespace mellow::data;

TEST_CASE("Sequences follow an episode and stop at its end") {
  const SequenceReplay replay{.capacity = 60, .length = 4};
  auto ring = replay.make_state<float>(1);
  SequenceBatch<float> sequences(1);
  sequences[0].resize(1, 500);
  Rng rng(1);
  CHECK_THROWS_WITH(replay.sample(ring, sequences, rng), Catch::Contains("empty"));
  // Episodes of five: steps 10 e to 10 e + 4; even ones terminate, odd ones are truncated.
  for (int e = 0; e < 20; ++e)
    for (int k = 0; k < 5; ++k) {
      const Vector<float> now = Vector<float>::Constant(1, static_cast<float>(10 * e + k)), next = now.array() + 1;
      replay.push(ring, Transition<>{now, k, now[0], next, k == 4 && e % 2 == 0, k == 4 && e % 2 == 1});
    }
  replay.sample(ring, sequences, rng);
  REQUIRE(sequences.size() == 4);
  Index ended = 0;
  for (Index i = 0; i < 500; ++i) {
    const float start = sequences[0].observations(0, i);
    const auto left = 5 - static_cast<Index>(start) % 10;  // steps of the episode from there on
    CHECK(start >= 100);                                   // older ones are overwritten: 60 places hold ten episodes
    for (Index t = 0; t < 4; ++t) {
      const auto& batch = sequences[static_cast<std::size_t>(t)];
      const float expected = start + static_cast<float>(std::min(t, left - 1));
      REQUIRE(batch.observations(0, i) == expected);
      REQUIRE(batch.rewards[i] == expected);
      REQUIRE(batch.weights[i] == (t < left ? 1.0f : 0.0f));
      REQUIRE(batch.discounts[i] == (t >= left - 1 && static_cast<Index>(start) / 10 % 2 == 0 ? 0.0f : 1.0f));
    }
    ended += left < 4;
  }
  CHECK(ended > 250);  // three fifths of the starts
  CHECK_THROWS_AS(SequenceReplay{.length = 0}.validate(), Error);
}
