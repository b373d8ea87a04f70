// SPDX-License-Identifier: Apache-2.0
// Deep Q agents on MinAtar's Breakout: an update of DQN in the published settings (Young & Tian 2019) and of C51 on the
// same network, with Adam, as peers/minatar_agents.py does it, whole and by its parts; DQN's with the published
// optimiser, C51's with DQN Pro's pull and with a step of Lookahead-Replicate's target; a frame of Rainbow, an update in
// four, whole and by what it is spent on.
#include <vector>

#include <mellow/data/prioritized_replay.hpp>
#include <mellow/data/uniform_replay.hpp>
#include <mellow/environments/minatar/breakout.hpp>
#include <mellow/nn/adam.hpp>
#include <mellow/nn/convolution.hpp>
#include <mellow/nn/dueling.hpp>
#include <mellow/nn/flatten.hpp>
#include <mellow/nn/minatar_network.hpp>
#include <mellow/nn/noisy.hpp>
#include <mellow/nn/rmsprop.hpp>
#include <mellow/nn/sequential.hpp>
#include <mellow/training/run.hpp>
#include <mellow/value/categorical_head.hpp>
#include <mellow/value/proximal.hpp>
#include <mellow/value/rainbow.hpp>
#include <mellow/value/replicate.hpp>
#include <mellow/value/scalar_head.hpp>

#include "agents.hpp"
#include "shapes.hpp"
#include "updates.hpp"

namespace {

using namespace mellow;
using environments::minatar::Breakout;

constexpr Index batch = 32, channels = 4, actions = 6, capacity = 100'000;
constexpr Index frames_an_update = 4;                // of Rainbow
const Breakout breakout({.minimal_actions = true});  // that it plays
const value::ScalarHead huber{.loss = value::TdLoss::huber()};
const value::CategoricalHead distributions{.v_min = -100, .v_max = 100};
const nn::Adam adam{.learning_rate = 2.5e-4};

/// Of the products of an update on the MinAtar network: of all twice forward and once in the weights, of those above
/// the convolution once more in their inputs.
double flop(Index outputs) {
  return 2.0 * static_cast<double>(batch * (3 * 64 * 36 * 16 + 4 * (1024 * 128 + 128 * outputs)));
}

/// An agent on the MinAtar network that has learned from random play; made when it is first asked for.
template <class... Parts>
auto trained(Index outputs, const Parts&... parts) {
  return speed::Once([=] {
    return speed::learn_from(value::Dqn(nn::minatar_network(channels, outputs), speed::learn_later(batch),
                                        data::BitReplay{.capacity = capacity}, parts...),
                             speed::RandomPlay(Breakout{}));
  });
}

/// Rainbow as examples/rainbow_minatar.cpp has it; `starts` as in DqnOptions.
auto rainbow(Index starts) {
  const nn::Convolution<> filters({10, 10, channels}, {.filters = 16, .padding = nn::Padding::Same});
  const nn::Flatten<> flatten(filters.output_image());
  const Index atoms = distributions.atoms, minimal_actions = 3;
  const nn::Sequential network(filters, nn::ReLU{}, flatten,
                               nn::Dueling(nn::NoisyDense<>(flatten.outputs(), atoms),
                                           nn::NoisyDense<>(flatten.outputs(), minimal_actions * atoms)));
  return value::rainbow(network, {.batch_size = batch, .learning_starts = starts, .update_every = frames_an_update},
                        distributions, data::PrioritizedBitReplay{.capacity = capacity, .alpha = 0.5, .steps = 3},
                        nn::Adam{.learning_rate = 2.5e-4, .epsilon = 3.125e-4});
}

/// A step of Breakout, kept.
struct Frame {
  Vector<> observation, next_observation;
  Index action;
  double reward;
  bool terminated;
};

std::vector<Frame> frames(std::size_t count) {
  Rng rng;
  speed::RandomPlay play(breakout);
  std::vector<Frame> all;
  while (all.size() < count) {
    const auto t = play(rng);
    all.push_back({t.observation, t.next_observation, t.action, t.reward, t.terminated});
  }
  return all;
}

void rainbow_frame(benchmark::State& state) {
  constexpr Index block = 64 * frames_an_update;
  auto agent = rainbow(speed::remembered);
  training::train(agent, breakout, {.steps = speed::remembered, .evaluate_every = 0});
  for (auto _ : state) training::train(agent, breakout, {.steps = block, .evaluate_every = 0});
  speed::report_rate(state, "frames/s", block);
}
BENCHMARK(rainbow_frame)->Name("minatar_rainbow");

void rainbow_environment(benchmark::State& state) {
  Rng rng;
  speed::RandomPlay play(breakout);
  for (auto _ : state) {
    play(rng);
    benchmark::ClobberMemory();
  }
  speed::report_rate(state, "frames/s", 1);
}
BENCHMARK(rainbow_environment)->Name("minatar_rainbow/environment");

void rainbow_act(benchmark::State& state) {
  Rng rng;
  auto agent = rainbow(0);
  const auto observation = frames(1).front().observation;
  for (auto _ : state) benchmark::DoNotOptimize(agent.act(observation, rng));
  speed::report_rate(state, "frames/s", 1);
}
BENCHMARK(rainbow_act)->Name("minatar_rainbow/act");

void rainbow_store(benchmark::State& state) {
  auto agent = rainbow(0);
  auto& l = agent.learner();
  const auto kept = frames(64);  // whose observations stay in the processor's cache, as new ones are
  std::size_t at = 0;
  for (auto _ : state) {
    const Frame& frame = kept[at++ % kept.size()];
    l.replay.push(l.replay_state, Transition<>{.observation = frame.observation,
                                               .action = frame.action,
                                               .reward = frame.reward,
                                               .next_observation = frame.next_observation,
                                               .terminated = frame.terminated});
  }
  speed::report_rate(state, "frames/s", 1);
}
BENCHMARK(rainbow_store)->Name("minatar_rainbow/store");

}  // namespace

int main(int argc, char** argv) {
  const auto dqn = trained(actions, huber, adam);
  speed::add_update("minatar_dqn_update", dqn, flop(actions));
  speed::add_update_parts("minatar_dqn_update", dqn);
  const nn::RMSProp published{
      .learning_rate = 2.5e-4, .decay = 0.95, .epsilon = 0.01, .square = nn::RMSProp::Square::Centred};
  speed::add_update("minatar_dqn_update_rmsprop", trained(actions, huber, published), flop(actions));

  const Index outputs = actions * distributions.atoms;
  const auto c51 = trained(outputs, distributions, adam);
  speed::add_update("minatar_c51_update", c51, flop(outputs));
  speed::add_update_parts("minatar_c51_update", c51);
  speed::add_update("minatar_c51_update_proximal", trained(outputs, distributions, adam, value::Proximal{.c = 0.025}),
                    flop(outputs));
  // A step of the target costs the products of an update; so many come with an update here, as few do in use.
  speed::add_update("minatar_c51_update_replicate",
                    trained(outputs, distributions, adam, value::Replicate<>{.every = 1, .steps = 1}),
                    2 * flop(outputs));

  const speed::Once learned(
      [] { return speed::learn_from(rainbow(speed::remembered + 1), speed::RandomPlay(breakout)); });
  speed::add_update_parts("minatar_rainbow", learned, {"frames/s", frames_an_update}, value::DoubleQ{});
  benchmark::Initialize(&argc, argv);
  benchmark::RunSpecifiedBenchmarks();
}
