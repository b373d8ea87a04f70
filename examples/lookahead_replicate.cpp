// SPDX-License-Identifier: Apache-2.0
// Lookahead-Replicate (Asadi et al. 2024): the target network follows the online network's values, not its parameters.
// On two states, where both end at the true values with other parameters; and in DQN on CartPole, where the target may
// then be another network.
#include <filesystem>

#include <mellow/environments/cart_pole.hpp>
#include <mellow/environments/time_limit.hpp>
#include <mellow/nn/mlp.hpp>
#include <mellow/tools/atomic_file.hpp>
#include <mellow/tools/command_line.hpp>
#include <mellow/tools/plot.hpp>
#include <mellow/training/run.hpp>
#include <mellow/value/dqn.hpp>
#include <mellow/value/lookahead_replicate.hpp>
#include <mellow/value/replicate.hpp>

using namespace mellow;

namespace {

/// Trains DQN and says how far target and online network are apart in the end, in parameters and in values.
template <class... Parts>
void learn(const char* name, Index steps, std::uint64_t seed, const Parts&... parts) {
  const nn::Mlp network({4, 64, 64, 2});
  value::Dqn agent(network, {.batch_size = 32, .seed = seed}, parts...);
  const environments::TimeLimit cart_pole(environments::CartPole{}, 500);
  const auto run = training::train(agent, cart_pole, {.steps = steps, .evaluate_every = 1'000, .seed = seed});
  auto& l = agent.learner();
  Rng rng(seed);
  l.replay.sample(l.replay_state, l.batch, rng);
  const Matrix<float> online = l.network.forward(l.online, l.batch.observations, l.tape),
                      target = l.target_network.forward(l.target, l.batch.observations, l.target_tape);
  const bool same = l.online.size() == l.target.size();
  const double error = (online - target).norm() / online.norm();
  fmt::print("{:<36}{:>12.1f}{:>20}{:>20}\n", name, run.best_return, fmt::format("{:.1f} %", 100 * error),
             same ? fmt::format("{:.1f} %", 100 * (l.online - l.target).norm() / l.online.norm()) : "another network");
}

std::string text(const Vector<double>& x) { return fmt::format("({:.4f})", fmt::join(x, ", ")); }

}  // namespace

int main(int argc, char** argv) {
  return run_main([&] {
    Index steps = 20'000;
    std::uint64_t seed = 0;
    std::filesystem::path output = "results/lookahead_replicate";
    CommandLine("Shows a target network that follows values in place of parameters.")
        .option("--steps", steps, "environment steps of DQN", {.minimum = 1'000})
        .option("--seed", seed, "the same seed gives the same numbers")
        .option("--output", output, "folder for the plot")
        .parse(argc, argv);
    tools::create_folder(output);

    const value::LookaheadReplicate two_states(environments::redundant_features());
    const value::LookaheadReplicateOptions options{.lookahead_rate = 1 / two_states.lookahead_smoothness(),
                                                   .replicate_rate = 1 / two_states.replicate_smoothness()};
    value::ParameterPair at{Eigen::Vector3d(1.2, 2, 0.5), Eigen::Vector3d(0.1, 2, 0.5)};
    const auto limit = two_states.limit(at);
    tools::Plot plot{.title = "Lookahead-Replicate on two states", .x_label = "iteration", .y_label = "value"};
    plot.series = {{.label = "target, state 1"},
                   {.label = "target, state 2"},
                   {.label = "online, state 1"},
                   {.label = "online, state 2"}};
    fmt::print("Two states of value 2, three features:\n{:>9}{:>24}{:>24}\n", "iteration", "target values",
               "online values");
    for (Index t = 0; t <= 800; ++t) {
      const Vector<double> target = two_states.target_values(at.theta), online = two_states.online_values(at.w);
      if (t <= 80)
        for (std::size_t i = 0; i < 4; ++i) {
          plot.series[i].x.push_back(static_cast<double>(t));
          plot.series[i].y.push_back(i < 2 ? target[static_cast<Index>(i)] : online[static_cast<Index>(i) - 2]);
        }
      if (t == 0 || t == 1 || t == 10 || t == 100 || t == 800)
        fmt::print("{:>9}{:>24}{:>24}\n", t, text(target), text(online));
      at = two_states.run(at, 1, options);
    }
    fmt::print("target parameters {}, online parameters {}\n", text(at.theta), text(at.w));
    fmt::print("in closed form    {}                   {}\n\n", text(limit.theta), text(limit.w));
    tools::save_plot(output / "two_states", plot);

    fmt::print("DQN on CartPole-v1, in the end:\n{:<36}{:>12}{:>20}{:>20}\n", "how the target follows", "best return",
               "values apart by", "parameters by");
    const value::Replicate<> replicate{.every = 200, .steps = 200};
    learn("copy every 200 updates", steps, seed, value::PeriodicCopy{.every = 200});
    learn("replicate, 200 steps", steps, seed, replicate);
    learn("replicate, a target of half the width", steps, seed, replicate,
          value::TargetNetwork{nn::Mlp({4, 32, 32, 2})});
    fmt::print("Plot: {}\n", (output / "two_states.png").string());
  });
}
