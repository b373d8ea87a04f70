// SPDX-License-Identifier: Apache-2.0
#include "mellow/value/dqn_presets.hpp"

#include <set>

#include <mellow/training/run.hpp>

#include "support/catch.hpp"

using namespace mellow;
using Catch::Contains;

TEST_CASE("Every preset has a name of its own, fits its environment and learns") {
  std::set<std::string> names;
  for (value::DqnPreset preset : value::dqn_presets()) {
    CAPTURE(preset.name);
    CHECK(names.insert(preset.name).second);
    CHECK(value::dqn_preset(preset.name).task == preset.task);
    CHECK(preset.steps > preset.options.learning_starts);
    if (preset.solved) CHECK(preset.reaches >= *preset.solved);
    preset.options.learning_starts = 100;
    auto agent = preset.make_agent(7);
    CHECK(agent.options().seed == 7);
    CHECK(agent.options().discount == preset.options.discount);
    CHECK(agent.learner().replay.capacity == preset.replay.capacity);
    CHECK(agent.network().widths().size() == preset.hidden.size() + 2);
    const Vector<float> before = agent.parameters();
    const auto run = training::train(agent, preset.environment, {.steps = 300, .evaluate_every = 0, .seed = 7});
    CHECK(run.steps == 300);
    CHECK(agent.learner().counters.updates > 0);
    CHECK(agent.parameters() != before);
    CHECK(agent.parameters() != preset.make_agent(8).parameters());
  }
  CHECK(names.size() == value::dqn_preset_names().size());
}

TEST_CASE("Presets have the spaces, limits and thresholds of their tasks") {  // the table of classic_environments.md 1
  struct Task {
    const char *preset, *name;
    Index features, actions, limit;
    std::optional<double> threshold;
  };
  for (const Task& task :
       {Task{"cartpole", "CartPole-v1", 4, 2, 500, 475.0}, Task{"acrobot", "Acrobot-v1", 6, 3, 500, -100.0},
        Task{"mountain-car", "MountainCar-v0", 2, 3, 200, -110.0},
        Task{"mountain-car-continuous", "MountainCarContinuous-v0", 2, 0, 999, 90.0},
        Task{"pendulum", "Pendulum-v1", 3, 0, 200, {}}}) {
    CAPTURE(task.name);
    const value::DqnPreset preset = value::dqn_preset(task.preset);
    CHECK(preset.task.starts_with(task.name));
    CHECK(preset.solved == task.threshold);
    auto environment = preset.environment;
    CHECK(environment.observation_space().size() == task.features);
    const Index actions = environment.action_space().n;
    if (task.actions > 0) CHECK(actions == task.actions);  // a continuous one is made discrete

    Rng rng(0);
    Vector<float> o(task.features);
    Index steps = 0;
    Step step;
    for (environment.reset(rng); !step.terminated && !step.truncated; ++steps) {  // acts so that nothing ends it
      environment.observe(o);
      const bool balance = task.actions == 2;
      const Index action = balance ? Index{o[2] + 0.25f * o[3] + 0.05f * o[0] + 0.1f * o[1] > 0} : actions / 2;
      step = environment.step(action, rng);
    }
    CHECK((steps == task.limit && step.truncated && !step.terminated));
  }
  const double pendulum = value::dqn_preset("pendulum").reaches;  // 3.5: trained agents get about -140 to -160
  CHECK((pendulum >= -160 && pendulum <= -140));
}

TEST_CASE("A preset in any environment is the agent in that environment, bit for bit") {
  const auto preset = value::dqn_preset("acrobot");
  auto erased = preset.make_agent(1), plain = preset.make_agent(1);
  training::train(erased, preset.environment, {.steps = 1'500, .evaluate_every = 0, .seed = 2});
  training::train(plain, environments::TimeLimit(environments::Acrobot{}, 500),
                  {.steps = 1'500, .evaluate_every = 0, .seed = 2});
  CHECK(erased.learner().counters.updates > 0);
  CHECK(erased.parameters() == plain.parameters());
}

TEST_CASE("An unknown preset is refused with the known names and the nearest one") {
  CHECK_THROWS_WITH(value::dqn_preset("acrobat"),
                    Contains("value::dqn_preset") &&
                        Contains("one of cartpole, acrobot, mountain-car, mountain-car-continuous, pendulum") &&
                        Contains("did you mean acrobot?") && Contains("(got acrobat)"));
  CHECK_THROWS_WITH(value::dqn_preset("taxi"), Contains("(got taxi)") && !Contains("did you mean"));
}
