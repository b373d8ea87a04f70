// SPDX-License-Identifier: Apache-2.0
// DeepMellow (Kim, Asadi, Littman & Konidaris 2019): deep Q-learning whose backup is mellowmax. The paper's claim: a
// smooth maximum makes a target network less needed. So each backup learns with a target network and without one, where
// the online network gives the targets (a copy after every update). A few seeds of a short run only hint at an answer.
#include <mellow/environments/cart_pole.hpp>
#include <mellow/environments/time_limit.hpp>
#include <mellow/nn/mlp.hpp>
#include <mellow/operators/mellowmax.hpp>
#include <mellow/tools/atomic_file.hpp>
#include <mellow/tools/command_line.hpp>
#include <mellow/tools/interrupt.hpp>
#include <mellow/tools/plot.hpp>
#include <mellow/tools/progress.hpp>
#include <mellow/training/run.hpp>
#include <mellow/value/dqn.hpp>

using namespace mellow;

struct Settings {
  Index steps = 20'000, seeds = 5;
  std::uint64_t seed = 0;
  operators::Mellowmax mellowmax{.omega = 5.0};
  std::filesystem::path output = "results/mellowmax_dqn";
};

/// Adds the evaluations of a run to a curve, its share of the mean over all runs.
struct AddTo {
  tools::Series& curve;
  double share;
  tools::Progress progress;
  std::size_t next = 0;

  bool on_step(const training::RunStatus& status) {
    progress.update({.step = status.step, .episodes = status.episode, .mean_return = status.mean_return});
    return !tools::Interrupt::requested();
  }
  void on_evaluation(const training::RunStatus& status) {
    if (next == curve.x.size()) {
      curve.x.push_back(static_cast<double>(status.step));
      curve.y.push_back(0.0);
    }
    curve.y[next++] += share * status.evaluation_return;
  }
};

/// Trains from several seeds, prints what was learned, and returns the mean curve of the evaluations.
template <class Backup>
tools::Series learn(const std::string& name, const Settings& s, const Backup& backup, value::PeriodicCopy target) {
  tools::Series curve{.label = name};
  double best = 0.0, last = 0.0;
  for (Index i = 0; i < s.seeds; ++i) {
    const auto seed = s.seed + static_cast<std::uint64_t>(i);
    const environments::TimeLimit environment(environments::CartPole{}, 500);
    value::Dqn agent(nn::Mlp({4, 64, 64, 2}), {.batch_size = 32, .seed = seed}, backup, target);
    const auto run = training::train(agent, environment, {.steps = s.steps, .seed = seed},
                                     AddTo{curve, 1.0 / static_cast<double>(s.seeds), tools::Progress(s.steps)});
    const auto test = [&] {
      return training::mean(training::evaluate(agent, environment, 20, Rng(seed, training::streams::test)));
    };
    if (tools::Interrupt::requested()) throw Error("mellowmax_dqn", "interrupted; half a comparison says nothing");
    last += test() / static_cast<double>(s.seeds);
    agent.set_parameters(run.best_parameters);
    best += test() / static_cast<double>(s.seeds);
  }
  fmt::print("{:<26}{:>14.1f}{:>14.1f}{:>14.1f}\n", name, training::mean(curve.y), best, last);
  return curve;
}

int main(int argc, char** argv) {
  return run_main([&] {
    Settings s;
    CommandLine("Compares DQN's maximum with mellowmax on CartPole-v1, with a target network and without.")
        .option("--steps", s.steps, "environment steps a run", {.minimum = 1})
        .option("--seeds", s.seeds, "runs of each", {.minimum = 1})
        .option("--seed", s.seed, "of the first run; the others follow")
        .option("--omega", s.mellowmax.omega, "sharpness of mellowmax; larger is closer to the maximum")
        .option("--output", s.output, "folder for the plot")
        .parse(argc, argv);
    s.mellowmax.validate();
    tools::create_folder(s.output);

    tools::Interrupt interrupt;
    fmt::print("Mean greedy return on CartPole-v1 over {} seeds:\n", s.seeds);
    fmt::print("{:<26}{:>14}{:>14}{:>14}\n", "", "all along", "best weights", "last weights");
    const value::PeriodicCopy with{.every = 250}, without{.every = 1};
    std::vector<tools::Series> curves;
    curves.push_back(learn("max, target network", s, operators::Max{}, with));
    curves.push_back(learn("max, none", s, operators::Max{}, without));
    curves.push_back(learn("mellowmax, target network", s, s.mellowmax, with));
    curves.push_back(learn("mellowmax, none", s, s.mellowmax, without));
    const auto cost = [&](std::size_t of) { return training::mean(curves[of].y) - training::mean(curves[of + 1].y); };
    fmt::print("Return lost without the target network, all along: max {:.1f}, mellowmax {:.1f}\n", cost(0), cost(2));
    tools::save_plot(s.output / "returns", {.title = "DQN on CartPole-v1",
                                            .x_label = "environment steps",
                                            .y_label = "mean greedy return",
                                            .series = curves});
    fmt::print("Plot: {}\n", (s.output / "returns.png").string());
  });
}
