// SPDX-License-Identifier: Apache-2.0
#include <fstream>

#include <mellow/data/prioritized_replay.hpp>
#include <mellow/environments/cart_pole.hpp>
#include <mellow/environments/time_limit.hpp>
#include <mellow/nn/adamw.hpp>
#include <mellow/nn/mlp.hpp>
#include <mellow/tools/saved_state.hpp>
#include <mellow/value/dqn.hpp>
#include <mellow/value/proximal.hpp>
#include <mellow/value/replicate.hpp>
#include <mellow/value/target_noise.hpp>

#include "support/catch.hpp"
#include "support/replay.hpp"
#include "support/temporary_directory.hpp"

using namespace mellow;
using Catch::Contains;

namespace {
auto make_agent(std::uint64_t seed, Index capacity = 200) {
  return value::Dqn(nn::Mlp({2, 8, 3}), {.batch_size = 8, .learning_starts = 10, .seed = seed},
                    data::PrioritizedReplay{.capacity = capacity, .steps = 3});
}

/// Agents of two seeds: one learns and is saved, the other becomes it.
template <class Agent>
void check_goes_on(Agent agent, Agent other) {
  const TemporaryDirectory directory;
  show_random_transitions(agent, 300);
  tools::save_state(directory / "agent.safetensors", agent);
  CHECK_FALSE(first_difference(agent, other).empty());
  tools::load_state(directory / "agent.safetensors", other);
  CHECK(first_difference(agent, other).empty());
  show_random_transitions(agent, 50, Rng(5));
  show_random_transitions(other, 50, Rng(5));
  CHECK(first_difference(agent, other).empty());
}
}  // namespace

TEST_CASE("A whole agent is saved and goes on bit for bit") { check_goes_on(make_agent(1), make_agent(2)); }

TEST_CASE("An agent with a pull, noise and a target in function space is saved and goes on bit for bit") {
  const auto make = [](std::uint64_t seed) {
    return value::Dqn(nn::Mlp({2, 8, 3}), {.batch_size = 8, .learning_starts = 10, .seed = seed}, value::Proximal{},
                      value::TargetNoise{}, value::Replicate<nn::AdamW>{.every = 20, .steps = 3});
  };
  check_goes_on(make(1), make(2));
}

TEST_CASE("A replay with action masks, a generator and an environment are saved") {
  const TemporaryDirectory directory;
  const data::UniformReplay replay{.capacity = 20};
  auto ring = replay.make_state<float>(2), fresh = ring;
  const std::array<bool, 3> mask{true, false, true};
  for (int i = 0; i < 30; ++i) {
    const Vector<float> now = Vector<float>::Random(2), next = Vector<float>::Random(2);
    ring.push({now, i % 3, 0.5, next, i % 4 == 0, false, mask});
  }
  tools::save_state(directory / "replay", ring);
  tools::load_state(directory / "replay", fresh);
  CHECK(first_difference(ring, fresh).empty());

  Rng rng(1), later(2);
  environments::TimeLimit cart(environments::CartPole{}, 100), copy = cart;
  cart.reset(rng);
  cart.step(1, rng);
  tools::save_state(directory / "cart", cart);
  tools::load_state(directory / "cart", copy);
  CHECK(first_difference(cart, copy).empty());
  tools::save_state(directory / "rng", rng);
  tools::load_state(directory / "rng", later);
  CHECK(rng == later);
}

TEST_CASE("A state that does not fit is refused and changes nothing") {
  const TemporaryDirectory directory;
  const auto path = directory / "agent.safetensors";
  auto agent = make_agent(1);
  show_random_transitions(agent, 30);
  tools::save_state(path, agent);

  auto smaller = make_agent(3, 100);
  const auto before = smaller;
  CHECK_THROWS_WITH(tools::load_state(path, smaller),
                    Contains("agent.safetensors") && Contains("another size") && Contains("replay.ring.observations"));
  CHECK(first_difference(smaller, before).empty());
  Rng rng;
  CHECK_THROWS_WITH(tools::load_state(path, rng), Contains("has no such tensor") && Contains("state"));

  const auto file_size = std::filesystem::file_size(path);
  const auto fresh = make_agent(4);
  for (const auto at : {file_size - 1, file_size / 2}) {  // one bit of the data
    std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
    file.seekg(static_cast<std::streamoff>(at));
    const int byte = file.get();
    file.seekp(static_cast<std::streamoff>(at));
    file.put(static_cast<char>(byte ^ 1));
    file.close();
    auto target = fresh;
    CHECK_THROWS_WITH(tools::load_state(path, target), Contains("agent.safetensors") && Contains("damaged"));
    CHECK(first_difference(target, fresh).empty());
  }
  std::filesystem::resize_file(path, file_size - 3);
  auto target = fresh;
  CHECK_THROWS_AS(tools::load_state(path, target), Error);
}
