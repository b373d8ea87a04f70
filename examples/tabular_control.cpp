// SPDX-License-Identifier: Apache-2.0
// Tables of values learn a gridworld: Q-learning walks along the cliff's edge, SARSA keeps away from it.
#include <mellow/environments/gridworlds.hpp>
#include <mellow/environments/passenger_taxi.hpp>
#include <mellow/environments/tabular.hpp>
#include <mellow/environments/time_limit.hpp>
#include <mellow/tools/command_line.hpp>
#include <mellow/tools/recorder.hpp>
#include <mellow/training/run.hpp>
#include <mellow/value/tabular_q.hpp>

using namespace mellow;

/// A world, and the numbers with which Q-learning reaches a mean greedy return there (mean of seeds 0 to 4).
struct World {
  environments::Grid map;
  environments::TabularMdp model;
  Index limit;  ///< steps of an episode
  Index steps;  ///< to learn from
  value::TabularQOptions options;
  double epsilon;
  double reaches;
};

World make_world(const std::string& name) {
  using namespace environments;
  if (name == "cliff") return {cliff_walking_map(), cliff_walking(), 100, 50'000, {.learning_rate = 0.1}, 0.1, -13.0};
  if (name == "frozen-lake")
    return {
        frozen_lake_4x4(), frozen_lake(), 100, 200'000, {.learning_rate = exponential(0.5, 0.005, 200'000)}, 0.3, 0.73};
  if (name == "frozen-lake-8x8")
    return {frozen_lake_8x8(),
            frozen_lake(frozen_lake_8x8()),
            200,
            1'000'000,
            {.learning_rate = exponential(0.5, 0.005, 1'000'000)},
            0.3,
            0.87};
  // Optimism: every action looks as good as all three passengers until it is tried.
  return {
      passenger_taxi_map(), passenger_taxi(), 200, 200'000, {.learning_rate = 0.3, .initial_value = 15.0}, 0.05, 15.0};
}

struct Settings {
  Index steps = 0;
  std::uint64_t seed = 0;
  std::string algorithm = "q-learning", preset = "cliff";
  std::filesystem::path output = "results/tabular_control";
};

/// Trains a table with these parts and shows what it learned.
template <class... Parts>
void learn(const Settings& settings, const Parts&... parts) {
  const World world = make_world(settings.preset);
  const Index steps = settings.steps > 0 ? settings.steps : world.steps;
  const environments::TimeLimit environment(environments::Tabular(world.model), world.limit);
  value::TabularQ agent(world.model.states(), world.model.actions(), world.options,
                        operators::EpsilonGreedy{.epsilon = world.epsilon}, parts...);
  tools::Recorder recorder(settings.output, {.steps = steps, .title = settings.algorithm + " on " + settings.preset});
  const auto run = training::train(agent, environment, {.steps = steps, .seed = settings.seed}, recorder);

  fmt::print("Its policy{}:\n{}", settings.preset == "taxi" ? " with nobody aboard" : "",
             world.map.draw([&](Index state) { return agent.greedy(state); }));
  fmt::print("Mean return of the last 100 episodes of learning: {:.2f}\n", run.mean_return);
  fmt::print("Mean greedy return over 1000 fresh episodes: {:.2f} (Q-learning with these numbers reaches {:.2f})\n",
             training::mean(training::evaluate(agent, environment, 1000, Rng(settings.seed, training::streams::test))),
             world.reaches);
  fmt::print("Plot:    {}\nMetrics: {}\n", (settings.output / "learning_curve.png").string(),
             (settings.output / "metrics.csv").string());
}

int main(int argc, char** argv) {
  return run_main([&] {
    Settings s;
    CommandLine("Learns a gridworld with a table of action values.")
        .option("--algorithm", s.algorithm, "how it learns",
                {"q-learning", "sarsa", "expected-sarsa", "double-q", "sarsa-lambda", "q-lambda"})
        .option("--preset", s.preset, "a world and numbers tuned for it",
                {"cliff", "frozen-lake", "frozen-lake-8x8", "taxi"})
        .option("--steps", s.steps, "environment steps to learn from; 0: the preset's", {.minimum = 0})
        .option("--seed", s.seed, "the same seed gives the same run")
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
