// SPDX-License-Identifier: Apache-2.0
// DQN on many CartPoles at once, in a loop of your own: `training::train` takes one environment, `Vectorized` steps n.
// An episode that ends is followed by the next within the same step; the observation that ended it, from which learning
// bootstraps when the episode was only cut, is in final_observations().
#include <algorithm>
#include <cmath>
#include <utility>
#include <vector>

#include <mellow/environments/cart_pole.hpp>
#include <mellow/environments/time_limit.hpp>
#include <mellow/environments/vectorized.hpp>
#include <mellow/nn/mlp.hpp>
#include <mellow/tools/command_line.hpp>
#include <mellow/tools/recorder.hpp>
#include <mellow/tools/weights.hpp>
#include <mellow/training/run.hpp>
#include <mellow/value/dqn.hpp>

using namespace mellow;

int main(int argc, char** argv) {
  return run_main([&] {
    Index steps = 50'000, n = 16;
    std::uint64_t seed = 0;
    std::filesystem::path output = "results/vectorized";
    CommandLine("Trains DQN on many CartPoles at once and tests the best weights on 100 fresh episodes.")
        .option("--steps", steps, "environment steps to learn from, over all environments", {.minimum = 1})
        .option("--environments", n, "how many are stepped together", {.minimum = 1})
        .option("--seed", seed, "the same seed gives the same run")
        .option("--output", output, "folder for metrics, plot and weights")
        .parse(argc, argv);
    const environments::TimeLimit one(environments::CartPole{}, 500);
    environments::Vectorized all(one, n);
    Rng environment_rng(seed, training::streams::environment), agent_rng(seed, training::streams::agent);
    value::Dqn agent(nn::Mlp{{4, 64, 64, 2}}, {.seed = seed});
    tools::Recorder recorder(output, {.steps = steps,
                                      .title = fmt::format("DQN on {} CartPoles", n),
                                      .reference = tools::ReferenceLine{475, "solved: 475"}});
    Matrix<float> observations;
    Vector<Index> actions(n);
    Vector<float> best_parameters;
    std::vector<double> returns;  // of all episodes
    Vector<double> totals = Vector<double>::Zero(n);
    Vector<Index> lengths = Vector<Index>::Zero(n);
    auto metrics = value::Learned{}.metrics();
    training::RunStatus status{.metrics = metrics};
    Index cut = 0, best_step = 0, next_evaluation = 1'000;
    bool go_on = true;
    for (all.reset(environment_rng); go_on && status.step < steps;) {
      observations = all.observations();
      for (Index i = 0; i < n; ++i) actions[i] = agent.act(observations.col(i), agent_rng);
      const environments::Steps& step = all.step(actions);
      for (Index i = 0; i < n && status.step < steps; ++i) {
        const bool over = step.terminated[i] || step.truncated[i];
        const auto& next = over ? all.final_observations() : all.observations();
        if (const auto learned = agent.observe(
                {observations.col(i), actions[i], step.rewards[i], next.col(i), step.terminated[i], step.truncated[i]},
                agent_rng))
          metrics = learned->metrics();
        totals[i] += step.rewards[i];
        ++lengths[i];
        ++status.step;
        go_on &= recorder.on_step(status);
        if (!over) continue;
        ++status.episode;
        cut += step.truncated[i];
        returns.push_back(status.episode_return = std::exchange(totals[i], 0.0));
        status.episode_length = std::exchange(lengths[i], 0);
        status.mean_return = training::mean({returns.end() - std::min<Index>(100, std::ssize(returns)), returns.end()});
        recorder.on_episode(status);
      }
      if (status.step < next_evaluation && status.step < steps && go_on) continue;
      next_evaluation += 1'000;
      status.evaluation_return =
          training::mean(training::evaluate(agent, one, 20, Rng(seed, training::streams::evaluation)));
      status.improved = std::isnan(status.best_return) || status.evaluation_return >= status.best_return;
      if (status.improved) {
        status.best_return = status.evaluation_return;
        best_step = status.step;
        best_parameters = agent.parameters();
        tools::save_weights(output / "weights.safetensors", agent.network(), best_parameters);
      }
      recorder.on_evaluation(status);
    }
    recorder.on_end(status);
    const auto test = [&] {
      return training::mean(training::evaluate(agent, one, 100, Rng(seed, training::streams::test)));
    };
    const double last = test();
    agent.set_parameters(best_parameters);
    fmt::print(
        "Learned from {} steps in {} episodes, {} of them cut at 500 steps. Mean greedy return over 100 fresh "
        "episodes:\n  best weights (from step {}): {:.1f}\n  last weights: {:.1f}\n",
        status.step, status.episode, cut, best_step, test(), last);
    fmt::print("Plot:    {}\nMetrics: {}\nWeights: {}\n", (output / "learning_curve.png").string(),
               (output / "metrics.csv").string(), (output / "weights.safetensors").string());
  });
}
