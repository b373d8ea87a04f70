// SPDX-License-Identifier: Apache-2.0
// A training loop of one's own that survives being killed: kill it, start it again, and it goes on where its last
// checkpoint was, to the same result bit for bit. The loop does what `training::train` does not: it learns ten times more
// whenever an episode ends.
#include <mellow/environments/cart_pole.hpp>
#include <mellow/environments/time_limit.hpp>
#include <mellow/nn/mlp.hpp>
#include <mellow/tools/checkpoints.hpp>
#include <mellow/tools/command_line.hpp>
#include <mellow/tools/csv.hpp>
#include <mellow/tools/interrupt.hpp>
#include <mellow/tools/weights.hpp>
#include <mellow/training/evaluate.hpp>
#include <mellow/value/dqn.hpp>

using namespace mellow;

int main(int argc, char** argv) {
  return run_main([&] {
    Index steps = 20'000, every = 1'000;
    std::uint64_t seed = 0;
    bool resume = true;
    std::filesystem::path output = "results/custom_loop";
    CommandLine("Trains DQN on CartPole-v1 in a loop of its own, with checkpoints.")
        .option("--steps", steps, "environment steps to learn from", {.minimum = 1})
        .option("--every", every, "steps between checkpoints and evaluations", {.minimum = 1})
        .option("--seed", seed, "the same seed gives the same run")
        .option("--resume", resume, "takes up what an earlier run left")
        .option("--output", output, "folder for the table, the weights and the checkpoints")
        .parse(argc, argv);

    environments::TimeLimit environment(environments::CartPole{}, 500);
    value::Dqn agent(nn::Mlp{{4, 64, 64, 2}}, {.seed = seed});
    Rng environment_rng(seed, training::streams::environment), agent_rng(seed, training::streams::agent);
    Vector<float> observation(4), next_observation(4);
    Index step = 0;
    std::int64_t table_size = 0;  // how much of the table is older than the checkpoint

    // Everything that changes. What is not named here would be lost.
    auto state = std::tie(step, agent, environment, environment_rng, agent_rng, observation, table_size);
    tools::Checkpoints checkpoints(output / "checkpoints",
                                   {.every = every, .resume = resume, .settings = {{"seed", std::to_string(seed)}}});
    if (checkpoints.restore(state)) fmt::print("Goes on from step {}.\n", step);
    else {
      environment.reset(environment_rng);
      environment.observe(observation);
    }

    tools::CsvWriter table(output / "evaluations.csv", {"step", "return"}, table_size);
    tools::Interrupt interrupt;
    while (step < steps && !tools::Interrupt::requested()) {
      const Index action = agent.act(observation, agent_rng);
      const Step result = environment.step(action, environment_rng);
      environment.observe(next_observation);
      agent.observe({observation, action, result.reward, next_observation, result.terminated, result.truncated},
                    agent_rng);
      if (result.terminated || result.truncated) {
        for (int i = 0; i < 10 && step >= agent.options().learning_starts; ++i) agent.learn(agent_rng);
        environment.reset(environment_rng);
        environment.observe(next_observation);
      }
      observation.swap(next_observation);
      if (++step % every == 0) {
        const Rng rng(seed, training::streams::evaluation);
        table.row({step, training::mean(training::evaluate(agent, environment, 20, rng))});
        table_size = table.sync();
      }
      checkpoints.save_when_due(step, state);
    }
    if (step < steps) {
      checkpoints.save(step, state);
      fmt::print("Stopped at step {}; the same command goes on from here.\n", step);
      return;
    }
    table.finish();
    tools::save_weights(output / "weights.safetensors", agent.network(), agent.parameters());
    checkpoints.finish();
    const Rng rng(seed, training::streams::test);
    fmt::print("Mean return over 100 fresh episodes: {:.1f}\nTable: {}\n",
               training::mean(training::evaluate(agent, environment, 100, rng)), (output / "evaluations.csv").string());
  });
}
