// SPDX-License-Identifier: Apache-2.0
// DQN on many CartPoles at once, in a loop of your own: `training::train` takes one environment, `Vectorized` steps n.
// An episode that ends is followed by the next within the same step; the observation that ended it, from which learning
// bootstraps when the episode was only cut, is in final_observations().
#include <chrono>

#include <mellow/environments/cart_pole.hpp>
#include <mellow/environments/time_limit.hpp>
#include <mellow/environments/vectorized.hpp>
#include <mellow/nn/mlp.hpp>
#include <mellow/tools/command_line.hpp>
#include <mellow/tools/recorder.hpp>
#include <mellow/training/run.hpp>
#include <mellow/value/dqn.hpp>

using namespace mellow;

/// Prints how fast n environments are stepped under random actions; `step_all` says how many episodes ended.
template <class StepAll>
void measure(Index n, StepAll step_all) {
  Index steps = 0, ended = 0;
  const auto start = std::chrono::steady_clock::now();
  for (; steps < 2'000'000; steps += n) ended += step_all();
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  fmt::print("{:>5} at a time: {:>5.1f} million steps a second under random actions, {:.1f} steps an episode\n", n,
             static_cast<double>(steps) / seconds / 1e6, static_cast<double>(steps) / static_cast<double>(ended));
}

int main(int argc, char** argv) {
  return run_main([&] {
    Index steps = 50'000, n = 16;
    std::uint64_t seed = 0;
    std::filesystem::path output = "results/vectorized";
    CommandLine("Trains DQN on many CartPoles at once.")
        .option("--steps", steps, "environment steps to learn from, over all environments", {.minimum = 1})
        .option("--environments", n, "how many are stepped together", {.minimum = 1})
        .option("--seed", seed, "the same seed gives the same run")
        .option("--output", output, "folder for metrics and plot")
        .parse(argc, argv);
    const environments::TimeLimit one(environments::CartPole{}, 500);
    environments::Vectorized all(one, n);
    Vector<Index> actions(n);
    Rng environment_rng(seed, training::streams::environment), agent_rng(seed, training::streams::agent);
    measure(1, [&, alone = one, rng = Rng(seed)]() mutable {
      const Step step = alone.step(rng.below(2), rng);
      const bool over = step.terminated || step.truncated;
      if (over) alone.reset(rng);
      return Index{over};
    });
    all.reset(environment_rng);
    measure(n, [&, rng = Rng(seed)]() mutable {
      for (Index& action : actions) action = rng.below(2);
      const environments::Steps& step = all.step(actions);
      return (step.terminated.array() || step.truncated.array()).count();
    });

    value::Dqn agent(nn::Mlp{{4, 64, 64, 2}}, {.seed = seed});
    tools::Recorder recorder(output, {.steps = steps, .title = fmt::format("DQN on {} CartPoles", n)});

    Matrix<float> observations;
    auto metrics = value::Learned{}.metrics();
    training::RunStatus status{.metrics = metrics};
    Index cut = 0, next_evaluation = 0;
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
        ++status.step;
        go_on &= recorder.on_step(status);
        status.episode += over;
        cut += step.truncated[i];
      }
      if (status.step < next_evaluation && status.step < steps) continue;
      next_evaluation += 1'000;
      status.evaluation_return =
          training::mean(training::evaluate(agent, one, 20, Rng(seed, training::streams::evaluation)));
      recorder.on_evaluation(status);
    }
    recorder.on_end(status);

    fmt::print(
        "Learned from {} steps in {} episodes, {} of them cut at 500 steps. Mean greedy return over 100 fresh "
        "episodes: {:.1f}\nPlot: {}\n",
        status.step, status.episode, cut,
        training::mean(training::evaluate(agent, one, 100, Rng(seed, training::streams::test))),
        (output / "learning_curve.png").string());
  });
}
