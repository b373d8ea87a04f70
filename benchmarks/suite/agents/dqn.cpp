// SPDX-License-Identifier: Apache-2.0
#include <ranges>

#include <mellow/data/prioritized_replay.hpp>
#include <mellow/data/uniform_replay.hpp>
#include <mellow/environments/duplicate_actions.hpp>
#include <mellow/tools/weights.hpp>
#include <mellow/value/categorical_head.hpp>
#include <mellow/value/dqn.hpp>
#include <mellow/value/greedy_policy.hpp>
#include <mellow/value/proximal.hpp>
#include <mellow/value/quantile_head.hpp>
#include <mellow/value/replicate.hpp>
#include <mellow/value/reset_optimizer.hpp>
#include <mellow/value/similarity_head.hpp>
#include <mellow/value/target_noise.hpp>

#include "../any_part.hpp"
#include "backup_operators.hpp"
#include "explorations.hpp"
#include "optimizers.hpp"
#include "q_network.hpp"
#include "run_agent.hpp"
#include "vector_network.hpp"

namespace mellow::suite {
namespace {

using Backup = BackupOperators::Part<AnyBackup, value::DoubleQ>;
using Head = AnyHead<value::ScalarHead, value::CategoricalHead, value::QuantileHead, value::SimilarityHead>;
using Replay = AnyReplay<data::UniformReplay, data::PrioritizedReplay, data::BitReplay, data::PrioritizedBitReplay>;
using Tracking = AnyTracking<value::PeriodicCopy, value::Polyak, value::Replicate<>>;
using Pull = AnyPull<value::Proximal, value::ProximalPenalty>;
using Reset = OptionalHook<value::ResetOptimizer>;

/// Deep Q-learning, its defaults those of value::Dqn.
class DqnConfig : public AgentConfig {
 public:
  void describe(Settings& settings) override {
    networks_.describe(settings);
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
    settings.add_choice("observations", observations_, {"float", "bits"},
                        "how the replay stores them: four bytes a number, or a bit, for zeros and ones");

    settings.add_choice("tracking", tracking_, {"periodic_copy", "polyak", "replicate"},
                        "how the target network follows");
    settings.begin_alternative("tracking", "periodic_copy");
    settings.add("every", periodic_copy_.every, "updates between copies");
    settings.begin_alternative("tracking", "polyak");
    settings.add("tau", polyak_.tau, "share of the online parameters an update");
    settings.begin_alternative("tracking", "replicate");
    settings.add("every", replicate_.every, "updates before the target network learns");
    settings.add("steps", replicate_.steps, "gradient steps that it then takes towards the online network's values");
    settings.add("all_actions", replicate_.all_actions, "whether it learns all actions, not only those taken");
    settings.add("learning_rate", replicate_.optimizer.learning_rate, "of its Adam, by its gradient steps");
    settings.add("beta1", replicate_.optimizer.beta1, "of its Adam");
    settings.add("beta2", replicate_.optimizer.beta2, "of its Adam");
    settings.add("epsilon", replicate_.optimizer.epsilon, "of its Adam");
    settings.end_alternative();

    settings.add_choice("pull", pull_, {"none", "proximal", "penalty"},
                        "what draws the online parameters to the target's: DQN Pro's, or a term of the loss");
    settings.begin_alternative("pull", "proximal");
    settings.add("c", proximal_.c, "the share pulled is the first learning rate over c");
    settings.begin_alternative("pull", "penalty");
    settings.add("weight", penalty_.weight, "of half the squared distance");
    settings.end_alternative();
    settings.add("target_noise", noise_.deviation, "deviation of normal noise on every target");

    optimizers_.describe(settings);
    const std::vector<std::string> resets{"never", "target_change", "every", "random"};
    settings.add_choice("reset", reset_when_, resets, "when the optimiser forgets earlier gradients");
    for (const auto& when : resets | std::views::drop(1)) {
      settings.begin_alternative("reset", when);
      if (when != "target_change") settings.add("every", reset_.every, "updates between resets, on average");
      settings.add("first", reset_.moments.first, "whether the first moment is forgotten");
      settings.add("second", reset_.moments.second, "whether the second moment is forgotten");
      settings.add("counters", reset_.moments.counters, "whether kept moments are taken for young");
    }
    settings.end_alternative();

    settings.add_choice("head", head_, {"scalar", "categorical", "quantile", "similarity"},
                        "what the outputs are: values, distributions of the return (C51, QR-DQN), or values of actions "
                        "of which those that are alike learn together");
    settings.begin_alternative("head", "categorical");
    settings.add("atoms", categorical_.atoms, "of a distribution");
    settings.add("v_min", categorical_.v_min, "the lowest return");
    settings.add("v_max", categorical_.v_max, "the highest return");
    settings.begin_alternative("head", "quantile");
    settings.add("quantiles", quantile_.quantiles, "of a distribution");
    settings.add("kappa", quantile_.kappa, "where the loss becomes linear");
    settings.begin_alternative("head", "similarity");
    settings.add("copies", copies_, "how many actions side by side are alike: env.action_copies");
    settings.end_alternative();
    settings.add_choice("loss", loss_, {"squared", "huber"}, "of the temporal-difference error");
    settings.only_with("head", {"scalar", "similarity"});
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
    value::Dqn agent(network_for(environment), options, backup(), explorations_.part(), replay(environment), tracking(),
                     optimizer, initializers_.part(), head(environment), pull(), reset(), noise_);
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
    value::GreedyPolicy policy(network, load_parameters(parameters, "agent.learner.online", network),
                               head(environment));
    return training::evaluate(policy, environment, episodes, rng);
  }

 private:
  static constexpr auto needs = "observations that are vectors and discrete actions";

  QNetwork network_for(const Control& environment) const {
    const Index numbers[]{1, categorical_.atoms, quantile_.quantiles, 1};
    return networks_.make(environment, numbers[head_]);
  }

  Head head(const Control& environment) const {
    if (head_ == 1) return {{.chosen = categorical_}};
    if (head_ == 2) return {{.chosen = quantile_}};
    if (head_ == 3)
      return {{.chosen = value::SimilarityHead{
                   .similarity = environments::similarity_of_copies(environment.action_space().n, copies_),
                   .loss = loss()}}};
    return {{.chosen = value::ScalarHead{.loss = loss()}}};
  }

  Backup backup() const {
    const auto part = backup_.part<AnyBackup>(value::DoubleQ{});
    if ((head_ == 1 || head_ == 2) && !part.selects())
      throw Error("backup", "a head of distributions needs one that takes the value of one action: max or double_q");
    return part;
  }

  Replay replay(const Control& environment) const {
    const bool bits = observations_ == 1;
    const Box space = environment.observation_space();
    if (bits && !((space.low.array() == 0).all() && (space.high.array() == 1).all()))
      throw Error("observations", "bits are for observations of zeros and ones, whose bounds are 0 and 1",
                  fmt::format("{} to {}", space.low.minCoeff(), space.high.maxCoeff()));
    const auto of_bits = [&](auto part, const auto& from) {
      part.capacity = from.capacity;
      part.steps = from.steps;
      return part;
    };
    if (replay_ == 0) {
      if (bits) return {{.chosen = of_bits(data::BitReplay{}, uniform_)}};
      return {{.chosen = uniform_}};
    }
    if (!bits) return {{.chosen = prioritized_}};
    auto part = of_bits(data::PrioritizedBitReplay{}, prioritized_);
    part.alpha = prioritized_.alpha;
    part.beta = prioritized_.beta;
    part.epsilon = prioritized_.epsilon;
    return {{.chosen = part}};
  }

  Tracking tracking() const {
    if (tracking_ == 1) return {{.chosen = polyak_}};
    if (tracking_ == 2) return {{.chosen = replicate_}};
    return {{.chosen = periodic_copy_}};
  }

  Pull pull() const {
    if (pull_ == 1) return {{.chosen = proximal_}};
    if (pull_ == 2) return {{.chosen = penalty_}};
    return {};
  }

  Reset reset() const {
    if (reset_when_ == 0) return {};
    value::ResetOptimizer part = reset_;
    part.at_random = reset_when_ == 3;
    if (reset_when_ == 1) part.every = 0;
    else require(part.every > 0, "reset.every", "must be positive", part.every);
    return {part};
  }

  value::TdLoss loss() const { return loss_ == 1 ? value::TdLoss::huber(huber_delta_) : value::TdLoss::squared(); }

 protected:
  QNetworks networks_{};
  value::DqnOptions options_{};
  std::size_t head_ = 0, replay_ = 0, observations_ = 0, tracking_ = 0, pull_ = 0, reset_when_ = 0, loss_ = 0;
  BackupOperators backup_{};
  Explorations explorations_{};
  data::UniformReplay uniform_{};
  data::PrioritizedReplay prioritized_{};
  value::CategoricalHead categorical_{};
  value::QuantileHead quantile_{};
  Index copies_ = 1;
  value::PeriodicCopy periodic_copy_{};
  value::Polyak polyak_{};
  value::Replicate<> replicate_{};
  value::Proximal proximal_{};
  value::ProximalPenalty penalty_{};
  value::ResetOptimizer reset_{.every = 250};
  value::TargetNoise noise_{.deviation = 0};
  Optimizers optimizers_{};
  Initializers initializers_{};
  double huber_delta_ = 1.0;
};

/// Rainbow (Hessel et al. 2018): deep Q-learning with all six of its improvements, of which each can be left out.
class RainbowConfig final : public DqnConfig {
 public:
  RainbowConfig() {
    networks_.dueling = networks_.noisy = true;
    head_ = 1;           // categorical
    replay_ = 1;         // prioritised
    backup_.choice = 5;  // double_q
    prioritized_.alpha = 0.5;
    prioritized_.steps = uniform_.steps = 3;
    explorations_.epsilon_greedy.epsilon = 0.0;  // noise explores
  }
};

}  // namespace

std::unique_ptr<AgentConfig> make_dqn() { return std::make_unique<DqnConfig>(); }
std::unique_ptr<AgentConfig> make_rainbow() { return std::make_unique<RainbowConfig>(); }

}  // namespace mellow::suite
