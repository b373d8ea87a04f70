// SPDX-License-Identifier: Apache-2.0
#include "agent.hpp"

#include <fmt/format.h>

#include <mellow/core/error.hpp>
#include <mellow/core/nearest.hpp>

namespace mellow::suite {
namespace {

/// The entry of a name in a list.
template <class Entry>
const Entry& named(const std::vector<Entry>& list, std::string_view name, const char* kind) {
  std::vector<std::string> known;
  for (const Entry& entry : list) {
    if (entry.name == name) return entry;
    known.emplace_back(entry.name);
  }
  const auto near = nearest(name, known);
  throw Error(kind,
              fmt::format("there is none of this name{}",
                          near.empty() ? " (`mellow_bench list` names all)" : "; did you mean " + near + "?"),
              name);
}

/// Where preference training begins: at what the preset long-addition leaves.
constexpr auto supervised_weights = "model.weights=results/long-addition/seed-{seed}/weights.safetensors";

}  // namespace

const std::vector<AgentEntry>& agent_list() {
  static const std::vector<AgentEntry> list{
      {"dqn", "deep Q-learning of exchangeable parts; vectors in, discrete actions out", make_dqn},
      {"rainbow", "deep Q-learning with all improvements of Rainbow, each can be left out (Hessel et al. 2018)",
       make_rainbow},
      {"reinforce", "a softmax or mellowmax policy that follows its return's gradient (Williams 1992)", make_reinforce},
      {"q_learning", "a table of action values, any operator as backup (Watkins 1989)", make_q_learning},
      {"sarsa", "a table, the value of the action that is taken next (Rummery & Niranjan 1994)", make_sarsa},
      {"expected_sarsa", "a table, the expected value under the policy (van Seijen et al. 2009)", make_expected_sarsa},
      {"double_q_learning", "two tables that judge each other's choices (van Hasselt 2010)", make_double_q_learning},
      {"supervised", "a transformer that imitates completions; adapters (LoRA) where asked for", make_supervised},
      {"preference", "the same, from preference pairs by any loss: DPO, C2-DPO, SquaredPO, ...", make_preference},
  };
  return list;
}

const std::vector<Preset>& preset_list() {
  static const std::vector<Preset> list{
      {"cartpole", "dqn", "CartPole-v1", 50'000, {"backup=double_q", "tracking=polyak"}},
      {"acrobot",
       "dqn",
       "Acrobot-v1",
       80'000,
       {"backup=double_q", "tracking=polyak", "batch_size=128", "update_every=2",
        "optimizer.learning_rate=linear:1e-3:1e-4:40000"}},
      {"mountain-car",
       "dqn",
       "MountainCar-v0",
       120'000,
       {"backup=double_q", "tracking=polyak", "update_every=2", "replay.steps=5", "env.rescale_observations=true"}},
      {"mountain-car-continuous",
       "dqn",
       "MountainCarContinuous-v0",
       60'000,
       {"backup=double_q", "tracking=polyak", "update_every=2", "replay.steps=5", "env.rescale_observations=true",
        "env.action_levels=2"}},
      {"pendulum",
       "dqn",
       "Pendulum-v1",
       30'000,
       {"backup=double_q", "tracking=polyak", "loss=huber", "env.action_levels=5"}},
      {"puddle-world",
       "dqn",
       "puddle-world",
       80'000,
       {"backup=double_q", "tracking=polyak", "update_every=2", "env.rescale_observations=true",
        "env.normalize_rewards=true", "env.time_limit=200"}},
      {"cliff",
       "q_learning",
       "cliff-walking",
       50'000,
       {"learning_rate=0.1", "exploration.epsilon=0.1", "env.time_limit=100"}},
      {"frozen-lake",
       "q_learning",
       "FrozenLake-v1",
       200'000,
       {"learning_rate=exponential:0.5:0.005:200000", "exploration.epsilon=0.3"}},
      {"frozen-lake-8x8",
       "q_learning",
       "FrozenLake8x8-v1",
       1'000'000,
       {"learning_rate=exponential:0.5:0.005:1000000", "exploration.epsilon=0.3"}},
      {"taxi",
       "q_learning",
       "passenger-taxi",
       200'000,
       {"learning_rate=0.3", "initial_value=15", "exploration.epsilon=0.05", "env.time_limit=200"}},
      {"long-addition",
       "supervised",
       "long-addition",
       1'500,
       {"env.held_out=0.01", "optimizer.learning_rate=warm_up:50:cosine:2e-3:1e-4:1451"}},
      {"long-addition-dpo",
       "preference",
       "long-addition",
       50,
       {"loss=dpo", "optimizer.learning_rate=3e-5", "env.held_out=0.23", supervised_weights}},
      {"long-addition-c2-dpo",
       "preference",
       "long-addition",
       200,
       {"loss=c2_dpo", "optimizer.learning_rate=3e-4", "env.held_out=0.23", supervised_weights}},
  };
  return list;
}

const AgentEntry& agent_of(std::string_view name) { return named(agent_list(), name, "agent"); }
const Preset& preset_of(std::string_view name) { return named(preset_list(), name, "preset"); }

}  // namespace mellow::suite
