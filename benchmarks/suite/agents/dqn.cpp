// SPDX-License-Identifier: Apache-2.0
#include <mellow/data/prioritized_replay.hpp>
#include <mellow/data/uniform_replay.hpp>
#include <mellow/nn/mlp.hpp>
#include <mellow/tools/weights.hpp>
#include <mellow/value/dqn.hpp>
#include <mellow/value/greedy_policy.hpp>

#include "../any_part.hpp"
#include "backup_operators.hpp"
#include "explorations.hpp"
#include "optimizers.hpp"
#include "run_agent.hpp"
#include "vector_network.hpp"

namespace mellow::suite {
namespace {

using Replay = AnyReplay<data::UniformReplay, data::PrioritizedReplay>;
using Tracking = AnyTracking<value::PeriodicCopy, value::Polyak>;

/// Deep Q-learning, its defaults those of value::Dqn.
class DqnConfig final : public AgentConfig {
 public:
  void describe(Settings& settings) override {
    settings.add("hidden", hidden_, "widths of the network's hidden layers");
    settings.add("discount", options_.discount, "of the next state's value, in [0, 1]");
    settings.add("batch_size", options_.batch_size, "transitions an update");
    settings.add("learning_starts", options_.learning_starts, "transitions before the first update");
    settings.add("update_every", options_.update_every, "transitions between learning");
    settings.add("updates", options_.updates, "gradient steps each time it learns");
    settings.add("max_gradient_norm", options_.max_gradient_norm, "longer gradients are scaled down to it");

    backup_.describe(settings, {"double_q"});
    explorations_.describe(settings);

    settings.add_choice("replay", replay_, {"uniform", "prioritized"}, "what is remembered, and drawn");
    settings.begin_alternative("replay", "uniform");
    settings.add("capacity", uniform_.capacity, "observations kept");
    settings.add("steps", uniform_.steps, "rewards summed before the bootstrap");
    settings.begin_alternative("replay", "prioritized");
    settings.add("capacity", prioritized_.capacity, "observations kept");
    settings.add("steps", prioritized_.steps, "rewards summed before the bootstrap");
    settings.add("alpha", prioritized_.alpha, "how much errors count");
    settings.add("beta", prioritized_.beta, "how much of the bias is taken out, by batches");
    settings.add("epsilon", prioritized_.epsilon, "added to every error");
    settings.end_alternative();

    settings.add_choice("tracking", tracking_, {"periodic_copy", "polyak"}, "how the target network follows");
    settings.begin_alternative("tracking", "periodic_copy");
    settings.add("every", periodic_copy_.every, "updates between copies");
    settings.begin_alternative("tracking", "polyak");
    settings.add("tau", polyak_.tau, "share of the online parameters an update");
    settings.end_alternative();

    optimizers_.describe(settings);

    settings.add_choice("loss", loss_, {"squared", "huber"}, "of the temporal-difference error");
    settings.begin_alternative("loss", "huber");
    settings.add("delta", huber_delta_, "where it becomes linear");
    settings.end_alternative();

    initializers_.describe(settings);
  }

  RunSummary run(const AnyEnvironment& any, const RunRequest& request) const override {
    const Control& environment = of_kind<Control>(any, "dqn", needs);
    auto options = options_;
    options.seed = request.options.seed;
    const auto optimizer = optimizers_.part();
    value::Dqn agent(network_for(environment, hidden_), options, backup_.part<AnyBackup>(value::DoubleQ{}),
                     explorations_.part(), replay(), tracking(), optimizer, initializers_.part(),
                     value::ScalarHead{.loss = loss()});
    agent.learner().optimizer_state.choose(optimizer.chosen.index());
    const auto network = agent.network();
    return run_agent(std::move(agent), environment, request, [&](const Vector<float>& theta) {
      tools::save_weights(request.folder / "weights.safetensors", network, theta);
    });
  }

  std::vector<double> play(const AnyEnvironment& any, const SavedParameters& parameters, Index episodes,
                           Rng rng) const override {
    const Control& environment = of_kind<Control>(any, "dqn", needs);
    const auto network = network_for(environment, hidden_);
    value::GreedyPolicy policy(network, load_parameters(parameters, "agent.learner.online", network));
    return training::evaluate(policy, environment, episodes, rng);
  }

 private:
  static constexpr auto needs = "observations that are vectors and discrete actions";

  Replay replay() const {
    if (replay_ == 1) return {{.chosen = prioritized_}};
    return {{.chosen = uniform_}};
  }

  Tracking tracking() const {
    if (tracking_ == 1) return {{.chosen = polyak_}};
    return {{.chosen = periodic_copy_}};
  }

  value::TdLoss loss() const { return loss_ == 1 ? value::TdLoss::huber(huber_delta_) : value::TdLoss::squared(); }

  std::vector<Index> hidden_{64, 64};
  value::DqnOptions options_{};
  std::size_t replay_ = 0, tracking_ = 0, loss_ = 0;
  BackupOperators backup_{};
  Explorations explorations_{};
  data::UniformReplay uniform_{};
  data::PrioritizedReplay prioritized_{};
  value::PeriodicCopy periodic_copy_{};
  value::Polyak polyak_{};
  Optimizers optimizers_{};
  Initializers initializers_{};
  double huber_delta_ = 1.0;
};

}  // namespace

std::unique_ptr<AgentConfig> make_dqn() { return std::make_unique<DqnConfig>(); }

}  // namespace mellow::suite
