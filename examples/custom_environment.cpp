// SPDX-License-Identifier: Apache-2.0
// Your own environment: a cart on a track must stop at a flag. It needs two spaces, reset, step and observe; nothing to
// inherit from.
#include <cmath>

#include <mellow/environments/check.hpp>
#include <mellow/environments/time_limit.hpp>
#include <mellow/nn/mlp.hpp>
#include <mellow/tools/command_line.hpp>
#include <mellow/tools/recorder.hpp>
#include <mellow/tools/weights.hpp>
#include <mellow/training/run.hpp>
#include <mellow/value/dqn.hpp>

using namespace mellow;

/// State: position and velocity on a track from -1 to 1, the flag at 0.5. Actions: brake left, roll, push right. Every
/// step costs 1 until the cart stands at the flag.
class StopAtFlag {
 public:
  Box observation_space() const { return {2, -1.0f, 1.0f}; }
  Discrete action_space() const { return Discrete(3); }

  void reset(Rng& rng) {
    position_ = rng.uniform(-1.0, 0.0);
    velocity_ = 0.0;
  }

  Step step(Index action, Rng&) {
    velocity_ = std::clamp(velocity_ + 0.02 * static_cast<double>(action - 1), -0.2, 0.2);
    position_ += velocity_;
    if (std::abs(position_) > 1.0) {  // a bumper at either end
      position_ = std::copysign(1.0, position_);
      velocity_ = 0.0;
    }
    return {.reward = -1.0, .terminated = std::abs(position_ - 0.5) < 0.05 && std::abs(velocity_) < 0.03};
  }

  void observe(VectorRef<float> out) const {
    out << static_cast<float>(position_), static_cast<float>(5.0 * velocity_);
  }

  /// Names what changes, so that runs can be compared and resumed.
  template <class Self, class Visit>
  static void visit_state(Self& self, Visit&& visit) {
    visit("position", self.position_);
    visit("velocity", self.velocity_);
  }

 private:
  double position_ = 0.0, velocity_ = 0.0;
};

int main(int argc, char** argv) {
  return run_main([&] {
    Index steps = 30'000;
    std::uint64_t seed = 0;
    std::filesystem::path output = "results/custom_environment";
    CommandLine("Defines an environment, checks it, and lets DQN learn it.")
        .option("--steps", steps, "environment steps to learn from", {.minimum = 1})
        .option("--seed", seed, "the same seed gives the same run")
        .option("--output", output, "folder for metrics, plot and weights")
        .parse(argc, argv);

    const environments::TimeLimit environment(StopAtFlag{}, 100);
    environments::check(environment);  // says what to change where something is wrong

    value::Dqn agent(nn::Mlp{{2, 64, 64, 3}}, {.seed = seed});
    tools::Recorder recorder(output, {.steps = steps, .title = "DQN stops a cart at a flag"});
    training::OnImprovement keep(
        [&] { tools::save_weights(output / "weights.safetensors", agent.network(), agent.parameters()); });
    const auto run = training::train(agent, environment, {.steps = steps, .seed = seed}, recorder, keep);
    agent.set_parameters(run.best_parameters);

    fmt::print("Mean return over 100 fresh episodes: {:.1f}\nOne of them, action by action:\n",
               training::mean(training::evaluate(agent, environment, 100, Rng(seed, training::streams::test))));
    Rng rng(seed, training::streams::test);
    auto episode = environment;
    Vector<float> observation(2);
    Step step;
    for (episode.reset(rng); !step.terminated && !step.truncated; step = episode.step(agent.greedy(observation), rng)) {
      episode.observe(observation);
      const auto column = static_cast<std::size_t>(std::lround(20.0f * (observation[0] + 1.0f)));
      std::string track(41, '.');
      track[30] = 'F';
      track[column] = 'o';
      fmt::print("  {} {}\n", track, std::array{'<', ' ', '>'}[static_cast<std::size_t>(agent.greedy(observation))]);
    }
    fmt::print("{}\nPlot: {}\n", step.terminated ? "It stands at the flag." : "It did not stop at the flag in time.",
               (output / "learning_curve.png").string());
  });
}
