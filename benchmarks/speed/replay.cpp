// SPDX-License-Identifier: Apache-2.0
// Time of a batch of 64 from large replays: `uniform` gathers observations of 400 floats, with the rate of a plain copy
// of as much beside it; `prioritized` draws and sets priorities among a million.
#include <mellow/core/rng.hpp>
#include <mellow/data/prioritized_replay.hpp>
#include <mellow/data/uniform_replay.hpp>

#include "agents.hpp"
#include "shapes.hpp"

using namespace mellow;
using speed::fill;
using speed::report_rate;

namespace {

constexpr Index batch_size = 64;

void uniform(benchmark::State& state) {
  const Index features = 400;
  const data::UniformReplay replay{.capacity = 200'000};
  auto ring = replay.make_state<float>(features);
  fill(replay, ring, features);
  data::Batch<float> batch;
  batch.resize(features, batch_size);
  Rng rng(2);
  for (auto _ : state) replay.sample(ring, batch, rng);
  report_rate(state, "bytes/s", static_cast<double>(2 * batch_size * features * 4));
}
BENCHMARK(uniform)->Name("replay_uniform/400");

/// Copies as many bytes as a batch has from as large a store, in pieces as long as an observation and its successor.
void copy(benchmark::State& state) {
  const Index features = 400, places = 200'000;
  const Matrix<float> store = Matrix<float>::Constant(features, places, 1.0f);
  Matrix<float> batch(features, 2 * batch_size);
  Rng rng(2);
  for (auto _ : state) {
    for (Index i = 0; i < batch_size; ++i) batch.middleCols(2 * i, 2) = store.middleCols(rng.below(places - 1), 2);
    benchmark::DoNotOptimize(batch.data());
  }
  report_rate(state, "bytes/s", static_cast<double>(2 * batch_size * features * 4));
}
BENCHMARK(copy)->Name("replay_copy/400");

void prioritized(benchmark::State& state) {
  const data::PrioritizedReplay replay{.capacity = 1'000'000};
  auto replay_state = replay.make_state<float>(4);
  fill(replay, replay_state, 4);
  data::Batch<float> batch;
  batch.resize(4, batch_size);
  Rng rng(2);
  for (float& error : batch.errors) error = static_cast<float>(rng.normal());
  for (auto _ : state) {
    replay.sample(replay_state, batch, rng);
    replay.set_priorities(replay_state, batch);
  }
}
BENCHMARK(prioritized)->Name("replay_prioritized/1000000")->Unit(benchmark::kMicrosecond);

}  // namespace

BENCHMARK_MAIN();
