// SPDX-License-Identifier: Apache-2.0
// Tables of values learn a gridworld: Q-learning walks along the cliff's edge, SARSA keeps away from it.
#include <mellow/environments/gridworlds.hpp>
#include <mellow/environments/tabular.hpp>
#include <mellow/environments/time_limit.hpp>
#include <mellow/tools/command_line.hpp>
#include <mellow/tools/recorder.hpp>
#include <mellow/training/run.hpp>
#include <mellow/value/tabular_q.hpp>

using namespace mellow;

struct Settings {
  Index steps = 50'000;
  std::uint64_t seed = 0;
  std::string algorithm = "q-learning", world = "cliff";
  double learning_rate = 0.1, epsilon = 0.1;
  std::filesystem::path output = "results/tabular_control";
};

/// Trains a table with these parts and shows what it learned.
template <class... Parts>
void learn(const Settings& settings, const Parts&... parts) {
  const bool cliff = settings.world == "cliff";
  const environments::Grid map = cliff ? environments::cliff_walking_map() : environments::frozen_lake_4x4();
  const auto model = cliff ? environments::cliff_walking() : environments::frozen_lake(map);
  const environments::Tabular world(model);
  const environments::TimeLimit environment(world, 100);

  value::TabularQ agent(model.states(), model.actions(), {.learning_rate = settings.learning_rate},
                        operators::EpsilonGreedy{.epsilon = settings.epsilon}, parts...);
  tools::Recorder recorder(settings.output,
                           {.steps = settings.steps, .title = settings.algorithm + " on " + settings.world});
  const auto run = training::train(agent, environment, {.steps = settings.steps, .seed = settings.seed}, recorder);

  fmt::print("Its policy:\n{}", map.draw([&](Index state) { return agent.greedy(state); }));
  fmt::print("Mean return of the last 100 episodes of learning: {:.2f}\n", run.mean_return);
  fmt::print("Mean greedy return over 1000 fresh episodes: {:.2f}\n",
             training::mean(training::evaluate(agent, environment, 1000, Rng(settings.seed, training::streams::test))));
  fmt::print("Plot:    {}\nMetrics: {}\n", (settings.output / "learning_curve.png").string(),
             (settings.output / "metrics.csv").string());
}

int main(int argc, char** argv) {
  return run_main([&] {
    Settings s;
    CommandLine("Learns a gridworld with a table of action values.")
        .option("--algorithm", s.algorithm, "how it learns",
                {"q-learning", "sarsa", "expected-sarsa", "double-q", "sarsa-lambda", "q-lambda"})
        .option("--world", s.world, "what it learns", {"cliff", "frozen-lake"})
        .option("--steps", s.steps, "environment steps to learn from", {.minimum = 1})
        .option("--seed", s.seed, "the same seed gives the same run")
        .option("--learning-rate", s.learning_rate, "step towards each target", {.minimum = 0, .maximum = 1})
        .option("--epsilon", s.epsilon, "share of random actions", {.minimum = 0, .maximum = 1})
        .option("--output", s.output, "folder for metrics and plot")
        .parse(argc, argv);
    if (s.algorithm == "q-learning") learn(s);
    if (s.algorithm == "sarsa") learn(s, value::Sarsa{});
    if (s.algorithm == "expected-sarsa") learn(s, value::ExpectedSarsa{});
    if (s.algorithm == "double-q") learn(s, value::DoubleQ{});
    if (s.algorithm == "sarsa-lambda") learn(s, value::Sarsa{}, value::Dutch{.lambda = 0.8});
    if (s.algorithm == "q-lambda") learn(s, value::Dutch{.lambda = 0.8});
  });
}
