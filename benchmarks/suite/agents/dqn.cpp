// SPDX-License-Identifier: Apache-2.0
#include <mellow/data/prioritized_replay.hpp>
#include <mellow/data/uniform_replay.hpp>
#include <mellow/nn/adagrad.hpp>
#include <mellow/nn/adam.hpp>
#include <mellow/nn/adamw.hpp>
#include <mellow/nn/mlp.hpp>
#include <mellow/nn/orthogonal.hpp>
#include <mellow/nn/radam.hpp>
#include <mellow/nn/rmsprop.hpp>
#include <mellow/nn/sgd.hpp>
#include <mellow/nn/variance_scaling.hpp>
#include <mellow/operators/boltzmann.hpp>
#include <mellow/operators/epsilon_mix.hpp>
#include <mellow/operators/mean.hpp>
#include <mellow/operators/mellowmax.hpp>
#include <mellow/tools/weights.hpp>
#include <mellow/value/dqn.hpp>
#include <mellow/value/greedy_policy.hpp>

#include "../any_part.hpp"
#include "explorations.hpp"
#include "run_agent.hpp"

namespace mellow::suite {
namespace {

using Backup = AnyBackup<operators::Max, value::DoubleQ, operators::Mellowmax, operators::Boltzmann,
                         operators::EpsilonMix, operators::Mean>;
using Replay = AnyReplay<data::UniformReplay, data::PrioritizedReplay>;
using Optimizer = AnyOptimizer<nn::Adam, nn::AdamW, nn::RAdam, nn::RMSProp, nn::Adagrad, nn::Sgd>;
using Tracking = AnyTracking<value::PeriodicCopy, value::Polyak>;
using Initializer = AnyInitializer<nn::PyTorchDefault, nn::He, nn::Glorot, nn::LeCun, nn::Orthogonal>;

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

    settings.add_choice("backup", backup_, {"max", "double_q", "mellowmax", "boltzmann", "epsilon_mix", "mean"},
                        "value of the next state from its actions'");
    settings.begin_alternative("backup", "mellowmax");
    settings.add("omega", mellowmax_.omega, "sharpness; not 0");
    settings.begin_alternative("backup", "boltzmann");
    settings.add("beta", boltzmann_.beta, "inverse temperature");
    settings.begin_alternative("backup", "epsilon_mix");
    settings.add("epsilon", epsilon_mix_.epsilon, "share of the mean");
    settings.end_alternative();

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

    describe_optimizers(settings);

    settings.add_choice("loss", loss_, {"squared", "huber"}, "of the temporal-difference error");
    settings.begin_alternative("loss", "huber");
    settings.add("delta", huber_delta_, "where it becomes linear");
    settings.end_alternative();

    settings.add_choice("initializer", initializer_, {"pytorch", "he", "glorot", "lecun", "orthogonal"},
                        "how parameters are drawn");
  }

  RunSummary run(const AnyEnvironment& any, const RunRequest& request) const override {
    const Control& environment = of_kind<Control>(any, "dqn", needs);
    auto options = options_;
    options.seed = request.options.seed;
    const Optimizer optimizer = this->optimizer();
    value::Dqn agent(network_for(environment), options, backup(), explorations_.part(), replay(), tracking(), optimizer,
                     initializer(), value::ScalarHead{.loss = loss()});
    agent.learner().optimizer_state.choose(optimizer.chosen.index());
    const auto network = agent.network();
    return run_agent(std::move(agent), environment, request, [&](const Vector<float>& theta) {
      tools::save_weights(request.folder / "weights.safetensors", network, theta);
    });
  }

  std::vector<double> play(const AnyEnvironment& any, const SavedParameters& parameters, Index episodes,
                           Rng rng) const override {
    const Control& environment = of_kind<Control>(any, "dqn", needs);
    const auto network = network_for(environment);
    const auto theta = parameters.is_checkpoint ? online_of_checkpoint(parameters.file, network)
                                                : tools::load_weights(parameters.file, network);
    value::GreedyPolicy policy(network, theta);
    return training::evaluate(policy, environment, episodes, rng);
  }

 private:
  static constexpr auto needs = "observations that are vectors and discrete actions";

  nn::Mlp<> network_for(const Control& environment) const {
    std::vector<Index> widths{environment.observation_space().size()};
    widths.insert(widths.end(), hidden_.begin(), hidden_.end());
    widths.push_back(environment.action_space().n);
    return nn::Mlp<>(widths);
  }

  /// The online parameters in a checkpoint of a run.
  static Vector<float> online_of_checkpoint(const std::filesystem::path& path, const nn::Mlp<>& network) {
    const auto file = tools::load_saved_state(path);
    const auto* const numbers =
        std::get_if<std::vector<float>>(&file.at("agent.learner.online", {network.parameters()}).values);
    if (numbers == nullptr) throw Error(path.string(), "its online parameters are no float numbers");
    return Eigen::Map<const Vector<float>>(numbers->data(), std::ssize(*numbers));
  }

  void describe_optimizers(Settings& settings) {
    settings.add_choice("optimizer", optimizer_, {"adam", "adamw", "radam", "rmsprop", "adagrad", "sgd"},
                        "how a gradient changes parameters");
    const auto moments = [&](const char* name, auto& part) {
      settings.begin_alternative("optimizer", name);
      settings.add("learning_rate", part.learning_rate, "by gradient steps");
      settings.add("beta1", part.beta1, "decay of the first moment");
      settings.add("beta2", part.beta2, "decay of the second moment");
      settings.add("epsilon", part.epsilon, "added to the root");
    };
    moments("adam", adam_);
    moments("adamw", adamw_);
    settings.add("weight_decay", adamw_.weight_decay, "decoupled from the gradient");
    moments("radam", radam_);
    settings.begin_alternative("optimizer", "rmsprop");
    settings.add("learning_rate", rmsprop_.learning_rate, "by gradient steps");
    settings.add("decay", rmsprop_.decay, "of the means");
    settings.add("epsilon", rmsprop_.epsilon, "added to the root");
    settings.add("momentum", rmsprop_.momentum, "share of the former step that is kept");
    settings.begin_alternative("optimizer", "adagrad");
    settings.add("learning_rate", adagrad_.learning_rate, "by gradient steps");
    settings.add("epsilon", adagrad_.epsilon, "added to the root");
    settings.begin_alternative("optimizer", "sgd");
    settings.add("learning_rate", sgd_.learning_rate, "by gradient steps");
    settings.add("momentum", sgd_.momentum, "share of the former step that is kept");
    settings.add("weight_decay", sgd_.weight_decay, "of the parameters' squares, in the loss");
    settings.end_alternative();
  }

  Backup backup() const {
    switch (backup_) {
      case 1:
        return {{.chosen = value::DoubleQ{}}};
      case 2:
        return {{.chosen = mellowmax_}};
      case 3:
        return {{.chosen = boltzmann_}};
      case 4:
        return {{.chosen = epsilon_mix_}};
      case 5:
        return {{.chosen = operators::Mean{}}};
      default:
        return {{.chosen = operators::Max{}}};
    }
  }

  Replay replay() const {
    if (replay_ == 1) return {{.chosen = prioritized_}};
    return {{.chosen = uniform_}};
  }

  Tracking tracking() const {
    if (tracking_ == 1) return {{.chosen = polyak_}};
    return {{.chosen = periodic_copy_}};
  }

  Optimizer optimizer() const {
    switch (optimizer_) {
      case 1:
        return {{.chosen = adamw_}};
      case 2:
        return {{.chosen = radam_}};
      case 3:
        return {{.chosen = rmsprop_}};
      case 4:
        return {{.chosen = adagrad_}};
      case 5:
        return {{.chosen = sgd_}};
      default:
        return {{.chosen = adam_}};
    }
  }

  Initializer initializer() const {
    switch (initializer_) {
      case 1:
        return {{.chosen = nn::He{}}};
      case 2:
        return {{.chosen = nn::Glorot{}}};
      case 3:
        return {{.chosen = nn::LeCun{}}};
      case 4:
        return {{.chosen = nn::Orthogonal{}}};
      default:
        return {{.chosen = nn::PyTorchDefault{}}};
    }
  }

  value::TdLoss loss() const { return loss_ == 1 ? value::TdLoss::huber(huber_delta_) : value::TdLoss::squared(); }

  std::vector<Index> hidden_{64, 64};
  value::DqnOptions options_{};
  std::size_t backup_ = 0, replay_ = 0, tracking_ = 0, optimizer_ = 0, loss_ = 0, initializer_ = 0;
  operators::Mellowmax mellowmax_{};
  operators::Boltzmann boltzmann_{};
  operators::EpsilonMix epsilon_mix_{};
  Explorations explorations_{};
  data::UniformReplay uniform_{};
  data::PrioritizedReplay prioritized_{};
  value::PeriodicCopy periodic_copy_{};
  value::Polyak polyak_{};
  nn::Adam adam_{};
  nn::AdamW adamw_{};
  nn::RAdam radam_{};
  nn::RMSProp rmsprop_{};
  nn::Adagrad adagrad_{};
  nn::Sgd sgd_{};
  double huber_delta_ = 1.0;
};

}  // namespace

std::unique_ptr<AgentConfig> make_dqn() { return std::make_unique<DqnConfig>(); }

}  // namespace mellow::suite
