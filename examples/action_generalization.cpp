// SPDX-License-Identifier: Apache-2.0
// The action-generalisation gap (Zhou, Allen, Asadi & Konidaris 2022): every action of CartPole is there many times. DQN
// has to learn each on its own; an oracle that knows which are duplicates learns of all of them at once. How much faster
// it is, is the gap.
#include <mellow/environments/cart_pole.hpp>
#include <mellow/environments/duplicate_actions.hpp>
#include <mellow/environments/time_limit.hpp>
#include <mellow/nn/mlp.hpp>
#include <mellow/tools/atomic_file.hpp>
#include <mellow/tools/command_line.hpp>
#include <mellow/tools/interrupt.hpp>
#include <mellow/tools/plot.hpp>
#include <mellow/tools/progress.hpp>
#include <mellow/training/run.hpp>
#include <mellow/value/dqn.hpp>
#include <mellow/value/similarity_head.hpp>

using namespace mellow;

struct Settings {
  Index copies = 50, steps = 10'000, seeds = 5;
  std::uint64_t seed = 0;
  std::filesystem::path output = "results/action_generalization";
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

/// Trains from several seeds with what is known of the actions; returns the mean curve of the evaluations.
tools::Series learn(const std::string& name, const Settings& s, const Matrix<double>& similarity) {
  tools::Series curve{.label = name};
  for (Index i = 0; i < s.seeds; ++i) {
    const auto seed = s.seed + static_cast<std::uint64_t>(i);
    const environments::TimeLimit environment(environments::DuplicateActions(environments::CartPole{}, s.copies), 200);
    value::Dqn agent(nn::Mlp({4, 64, 64, 2 * s.copies}), {.batch_size = 16, .learning_starts = 500, .seed = seed},
                     value::SimilarityHead{.similarity = similarity}, value::DoubleQ{}, value::Polyak{.tau = 0.005},
                     operators::EpsilonGreedy{.epsilon = linear(1.0, 0.05, 5'000)});
    training::train(agent, environment,
                    {.steps = s.steps, .evaluate_every = 500, .evaluation_episodes = 10, .seed = seed},
                    AddTo{curve, 1.0 / static_cast<double>(s.seeds), tools::Progress(s.steps)});
    if (tools::Interrupt::requested())
      throw Error("action_generalization", "interrupted; half a comparison says nothing");
  }
  fmt::print("  {:<8}{:>8.1f}\n", name, training::mean(curve.y));
  return curve;
}

int main(int argc, char** argv) {
  return run_main([&] {
    Settings s;
    CommandLine("Compares DQN with an oracle that knows which actions are alike, on CartPole with duplicated actions.")
        .option("--copies", s.copies, "of each of the two actions", {.minimum = 1, .maximum = 1'000})
        .option("--steps", s.steps, "environment steps a run", {.minimum = 1})
        .option("--seeds", s.seeds, "runs of each", {.minimum = 1})
        .option("--seed", s.seed, "of the first run; the others follow")
        .option("--output", s.output, "folder for the plot")
        .parse(argc, argv);
    tools::create_folder(s.output);

    tools::Interrupt interrupt;
    const Matrix<double> alike = environments::DuplicateActions(environments::CartPole{}, s.copies).similarity();
    fmt::print("CartPole with {} of each action: mean greedy return over training, {} seeds\n", s.copies, s.seeds);
    const auto plain = learn("DQN", s, Matrix<double>::Identity(alike.rows(), alike.cols()));
    const auto oracle = learn("oracle", s, alike);
    fmt::print("The gap: {:.1f} (200 is the most that can be earned)\n",
               training::mean(oracle.y) - training::mean(plain.y));
    tools::save_plot(s.output / "returns", {.title = fmt::format("CartPole with {} of each action", s.copies),
                                            .x_label = "environment steps",
                                            .y_label = "mean greedy return",
                                            .series = {plain, oracle},
                                            .y_range = std::pair(0.0, 200.0)});
    fmt::print("Plot: {}\n", (s.output / "returns.png").string());
  });
}
