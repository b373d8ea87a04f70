// SPDX-License-Identifier: Apache-2.0
#include <mellow/nn/mlp.hpp>
#include <mellow/policy/reinforce.hpp>
#include <mellow/tools/weights.hpp>

#include "../any_part.hpp"
#include "optimizers.hpp"
#include "run_agent.hpp"
#include "vector_network.hpp"

namespace mellow::suite {
namespace {

using Head = AnyPolicyHead<policy::SoftmaxHead, policy::MellowmaxHead>;

/// REINFORCE, its defaults those of policy::Reinforce.
class ReinforceConfig final : public AgentConfig {
  static constexpr auto needs = "observations that are vectors and discrete actions";

  auto agent_for(const Control& environment, std::uint64_t seed) const {
    auto options = options_;
    options.seed = seed;
    options.baseline = baseline_ == 0 ? policy::Baseline::MeanReturn : policy::Baseline::None;
    const auto optimizer = optimizers_.part();
    policy::Reinforce agent(network_for(environment, hidden_), options, head(), optimizer, initializers_.part());
    agent.optimizer_state().choose(optimizer.chosen.index());
    return agent;
  }

 public:
  void describe(Settings& settings) override {
    settings.add("hidden", hidden_, "widths of the network's hidden layers");
    settings.add("discount", options_.discount, "of the return, in [0, 1]");
    settings.add("episodes", options_.episodes, "an update");
    settings.add_choice("baseline", baseline_, {"mean_return", "none"}, "what is taken from returns");
    settings.add("normalize_returns", options_.normalize_returns, "divides them by their standard deviation");
    settings.add("max_gradient_norm", options_.max_gradient_norm, "longer gradients are scaled down to it");

    settings.add_choice("head", head_, {"softmax", "mellowmax"}, "the policy of the network's outputs");
    settings.begin_alternative("head", "softmax");
    settings.add("beta", softmax_.beta, "inverse temperature");
    settings.begin_alternative("head", "mellowmax");
    settings.add("omega", mellowmax_.omega, "sharpness of the mellowmax that is the policy's mean output");
    settings.add("implicit_gradient", implicit_gradient_, "whether gradients go through the inverse temperature");
    settings.end_alternative();

    optimizers_.describe(settings);
    initializers_.describe(settings);
  }

  RunSummary run(const AnyEnvironment& any, const RunRequest& request) const override {
    const Control& environment = of_kind<Control>(any, "reinforce", needs);
    auto agent = agent_for(environment, request.options.seed);
    const auto network = agent.network();
    return run_agent(std::move(agent), environment, request, [&](const Vector<float>& theta) {
      tools::save_weights(request.folder / "weights.safetensors", network, theta);
    });
  }

  std::vector<double> play(const AnyEnvironment& any, const SavedParameters& parameters, Index episodes,
                           Rng rng) const override {
    const Control& environment = of_kind<Control>(any, "reinforce", needs);
    auto agent = agent_for(environment, 0);
    agent.set_parameters(load_parameters(parameters, "agent.parameters", agent.network()));
    return training::evaluate(agent, environment, episodes, rng);
  }

 private:
  Head head() const {
    if (head_ == 0) return {{.chosen = softmax_}};
    auto mellowmax = mellowmax_;
    mellowmax.temperature_gradient =
        implicit_gradient_ ? operators::TemperatureGradient::Implicit : operators::TemperatureGradient::Stopped;
    return {{.chosen = mellowmax}};
  }

  std::vector<Index> hidden_{16};
  policy::ReinforceOptions options_{};
  std::size_t baseline_ = 0, head_ = 0;
  policy::SoftmaxHead softmax_{};
  policy::MellowmaxHead mellowmax_{};
  bool implicit_gradient_ = true;
  Optimizers optimizers_{.adam = {.learning_rate = 5e-3}};
  Initializers initializers_{};
};

}  // namespace

std::unique_ptr<AgentConfig> make_reinforce() { return std::make_unique<ReinforceConfig>(); }

}  // namespace mellow::suite
