// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cmath>
#include <numeric>
#include <optional>
#include <utility>
#include <vector>

#include <mellow/core/buffer.hpp>
#include <mellow/core/network.hpp>
#include <mellow/core/spaces.hpp>
#include <mellow/core/state.hpp>
#include <mellow/data/transition.hpp>
#include <mellow/nn/adam.hpp>
#include <mellow/nn/clip.hpp>
#include <mellow/nn/initializers.hpp>
#include <mellow/nn/parts.hpp>
#include <mellow/operators/mask.hpp>
#include <mellow/operators/max.hpp>
#include <mellow/policy/episodes.hpp>
#include <mellow/policy/heads.hpp>
#include <mellow/policy/policy_gradient.hpp>
#include <mellow/policy/reinforce_options.hpp>
#include <mellow/policy/reinforce_types.hpp>

namespace mellow::policy {

/// REINFORCE (Williams 1992): after every B episodes one step of gradient descent on
///
///     -1/B sum over episodes and steps of A_t log pi(a_t | s_t),    A_t = (G_t - b) / sigma,
///     G_t = sum_k discount^k r_{t+k}
///
/// b is the baseline and sigma the standard deviation of G_t over all steps of the update, or 1 without
/// `normalize_returns`. Parts, in any order: head (`SoftmaxHead`; `MellowmaxHead`), optimiser (`Adam`, 0.005),
/// initialiser (`PyTorchDefault`).
///
///     policy::Reinforce agent(nn::Mlp{{4, 16, 2}}, {.discount = 0.99}, policy::MellowmaxHead{.omega = 5});
///
/// The network has an output for each action. With discount 1 and neither baseline nor normalisation the gradient is an
/// unbiased estimate of that of the expected return; both make it less noisy at the price of a small bias, since they
/// come from the same episodes. An environment needs episodes that end; a truncated one counts as it is. After its store
/// of episodes has grown, a step allocates nothing.
template <Network Net, class... Parts>
class Reinforce {
  using Types = detail::ReinforceTypes<typename Net::Scalar, Parts...>;
  static_assert(Types::check());

 public:
  using Scalar = typename Net::Scalar;          ///< of parameters and outputs
  using Head = typename Types::Head;            ///< what the outputs mean
  using Optimizer = typename Types::Optimizer;  ///< how parameters move

  /// Initialises the network with `options.seed`. Throws Error for numbers out of range.
  explicit Reinforce(Net network, ReinforceOptions options = {}, const Parts&... parts)
      : options_(options),
        network_(std::move(network)),
        head_(take_part<roles::Head, Head>(parts...)),
        optimizer_(take_optimizer(parts...)),
        episodes_(network_.inputs(), network_.outputs()) {
    options_.validate();
    (validate_part(parts), ...);
    Rng rng(options_.seed);
    theta_ = nn::initialize(network_, rng, take_part<roles::Initializer, typename Types::Initializer>(parts...));
    gradient_ = Vector<Scalar>::Zero(theta_.size());
    optimizer_state_.reset(network_);
    acted_on_.setConstant(network_.outputs(), true);
  }
  /// The same with default options.
  template <class First, class... Others>
    requires std::same_as<std::tuple<First, Others...>, std::tuple<Parts...>>
  explicit Reinforce(Net network, const First& first, const Others&... others)
      : Reinforce(std::move(network), ReinforceOptions{}, first, others...) {}

  /// An action drawn from the policy, one that the mask allows. Throws Error where the network's outputs are not finite.
  Index act(const ConstVectorRef<float>& observation, Rng& rng, ActionMask mask = {}) {
    const auto pi = probabilities(observation, mask);
    for (Index a = 0; a < acted_on_.size(); ++a) acted_on_[a] = mask.empty() || mask[static_cast<std::size_t>(a)];
    return operators::nth_allowed(mask, rng.categorical(pi));
  }

  /// The most probable action among those that the mask allows; the first of equals.
  Index greedy(const ConstVectorRef<float>& observation, ActionMask mask = {}) {
    return operators::nth_allowed(mask, operators::argmax(probabilities(observation, mask)));
  }

  /// The probabilities of the allowed actions, in order; valid until the next call.
  auto probabilities(const ConstVectorRef<float>& observation, ActionMask mask = {}) {
    require_input(observation.size());
    input_.resize(observation.size(), 1);
    std::copy_n(observation.data(), observation.size(), input_.data());
    const auto x =
        operators::keep_allowed<Scalar>(network_.forward(theta_, input_, acting_tape_).col(0), mask, scratch_.kept);
    if (!x.allFinite())
      throw Error("policy::Reinforce", "the network's outputs are not finite", fmt::format("{}", x.sum()));
    pi_.resize(network_.outputs());
    auto pi = pi_.head(x.size());
    head_.probabilities(x, pi);
    return pi;
  }

  /// Remembers a step of the policy; learns when as many episodes have ended as an update takes, and says what it found.
  ///
  /// Throws Error for an observation or an action that the network does not fit, a reward or a loss that is not finite.
  std::optional<ReinforceLearned> observe(const Transition<Index>& t, Rng&) {
    require_input(t.observation.size());
    if (t.action < 0 || t.action >= network_.outputs())
      throw Error("policy::Reinforce", "there is no such action", t.action);
    require(std::isfinite(t.reward), "policy::Reinforce", "a reward must be finite", t.reward);
    if (!acted_on_[t.action]) throw Error("policy::Reinforce", "the mask did not allow the action", t.action);
    episodes_.push(t.observation, t.action, t.reward, {acted_on_.data(), static_cast<std::size_t>(acted_on_.size())},
                   t.terminated || t.truncated);
    acted_on_.setConstant(true);
    if (episodes_.finished() < options_.episodes) return std::nullopt;
    return learn();
  }

  /// One update on the episodes that have ended, which are forgotten then; one that goes on is kept. Throws Error where
  /// there are none, or where loss or gradient are not finite.
  ReinforceLearned learn() {
    require(episodes_.finished() > 0, "policy::Reinforce", "an update needs an episode that has ended",
            episodes_.finished());
    ReinforceLearned learned{.mean_return = weigh()};
    const auto steps = static_cast<Index>(weights_.size());
    PolicyGradientLoss loss;
    gradient_.setZero();
    for (Index begin = 0; begin < steps; begin += chunk) {
      const Index n = std::min(chunk, steps - begin);
      const auto& outputs = network_.forward(theta_, episodes_.observations(begin, n), tape_);
      auto d_outputs = d_outputs_.reshape(network_.outputs(), n);
      loss += policy_gradient_loss(
          head_, outputs, [&](Index i) { return episodes_.action(begin + i); },
          [&](Index i) { return weights_[static_cast<std::size_t>(begin + i)]; },
          [&](Index i) { return episodes_.allowed(begin + i, mask_); }, d_outputs, scratch_);
      network_.backward(theta_, tape_, d_outputs, gradient_);
    }
    learned.loss = loss.value;
    learned.entropy = -loss.log_probability / static_cast<double>(steps);
    if (!std::isfinite(learned.loss))
      throw Error("policy::Reinforce", fmt::format("the loss of update {} is not finite", updates_ + 1), learned.loss);
    learned.gradient_norm = nn::clip_norm<Scalar>(gradient_, static_cast<Scalar>(options_.max_gradient_norm));
    if (!std::isfinite(learned.gradient_norm))
      throw Error("policy::Reinforce", fmt::format("the gradient of update {} is not finite", updates_ + 1),
                  learned.gradient_norm);
    optimizer_.step(optimizer_state_, theta_, gradient_);
    ++updates_;
    episodes_.forget_finished();
    return learned;
  }

  /// Throws Error where the network does not fit an environment's spaces.
  template <class ObservationSpace, class ActionSpace>
  void require_fits(const ObservationSpace& observations, const ActionSpace& actions) const {
    static_assert(std::same_as<ObservationSpace, Box> && std::same_as<ActionSpace, Discrete>,
                  "mellow: Reinforce needs observations that are vectors (mellow::Box) and discrete actions "
                  "(mellow::Discrete)");
    require(
        observations.size() == network_.inputs(), "policy::Reinforce",
        fmt::format("the network needs {} inputs, one a number of the environment's observation", observations.size()),
        network_.inputs());
    require(actions.n == network_.outputs(), "policy::Reinforce",
            fmt::format("the network needs {} outputs, one an action of the environment", actions.n),
            network_.outputs());
  }

  const Net& network() const { return network_; }                 ///< its shapes
  const ReinforceOptions& options() const { return options_; }    ///< as given
  const Vector<Scalar>& parameters() const { return theta_; }     ///< the policy's
  const Vector<Scalar>& gradient() const { return gradient_; }    ///< of the last update's loss, after clipping
  const Episodes<Scalar>& episodes() const { return episodes_; }  ///< since the last update
  Index updates() const { return updates_; }                      ///< made so far
  /// What the optimiser changes.
  typename Optimizer::template State<Scalar>& optimizer_state() { return optimizer_state_; }
  /// Sets the parameters. Throws Error for another length.
  void set_parameters(const ConstVectorRef<Scalar>& theta) {
    require(theta.size() == theta_.size(), "policy::Reinforce",
            fmt::format("the network has {} parameters", theta_.size()), theta.size());
    theta_ = theta;
  }

  template <class Self, class Visit>
  static void visit_state(Self& self, Visit&& visit) {
    visit("parameters", self.theta_);
    visit("optimizer", self.optimizer_state_);
    visit("episodes", self.episodes_);
    visit("acted_on", self.acted_on_);
    visit("updates", self.updates_);
  }

 private:
  static constexpr Index chunk = 1024;  // steps a pass through the network: activations stay in the cache

  static Optimizer take_optimizer(const Parts&... parts) {
    if constexpr (count_parts<roles::Optimizer, Parts...> == 0) return nn::Adam{.learning_rate = 5e-3};
    else return take_part<roles::Optimizer, Optimizer>(parts...);
  }

  void require_input(Index size) const {
    if (size != network_.inputs())
      throw Error("policy::Reinforce", fmt::format("an observation needs {} numbers", network_.inputs()), size);
  }

  /// Writes A_t / B of every step and returns the mean of the episodes' returns.
  double weigh() {
    episodes_.returns(options_.discount, weights_);
    // Sums in order: those of an Eigen::Map depend on where in memory the numbers lie.
    const auto steps = static_cast<double>(weights_.size());
    const double mean = std::accumulate(weights_.begin(), weights_.end(), 0.0) / steps;
    const double variance =
        std::accumulate(weights_.begin(), weights_.end(), 0.0,
                        [&](double sum, double weight) { return sum + (weight - mean) * (weight - mean); }) /
        steps;
    const double first = episodes_.mean_of_first(weights_), deviation = std::sqrt(variance);
    const bool normalize = options_.normalize_returns && deviation > 1e-12 * std::abs(mean);
    const double shift = options_.baseline == Baseline::MeanReturn ? mean : 0.0;
    const double scale = (normalize ? deviation : 1.0) * static_cast<double>(episodes_.finished());
    for (double& weight : weights_) weight = (weight - shift) / scale;
    return first;
  }

  ReinforceOptions options_;
  Net network_;
  [[no_unique_address]] Head head_;
  Optimizer optimizer_;
  typename Optimizer::template State<Scalar> optimizer_state_;
  Vector<Scalar> theta_, gradient_;
  Episodes<Scalar> episodes_;
  Eigen::Array<bool, Eigen::Dynamic, 1> acted_on_;  // what the mask of the last choice allowed
  Index updates_ = 0;

  std::vector<double> weights_;  // steps: A_t / B
  Buffer<Scalar> d_outputs_;
  typename Net::Tape tape_, acting_tape_;
  Matrix<Scalar> input_;
  Vector<Scalar> pi_;
  PolicyGradientScratch<Scalar> scratch_;
  Eigen::Array<bool, Eigen::Dynamic, 1> mask_;
};

/// Deduces the parts where there are no options.
template <Network Net, class First, class... Others>
  requires(!std::same_as<First, ReinforceOptions>)
Reinforce(Net, First, Others...) -> Reinforce<Net, First, Others...>;

}  // namespace mellow::policy
