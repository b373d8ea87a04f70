// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <optional>
#include <utility>
#include <vector>

#include <mellow/core/buffer.hpp>
#include <mellow/core/metric.hpp>
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

namespace mellow::policy {

/// What is taken from a return before it weighs a step.
enum class Baseline {
  None,       ///< nothing
  MeanReturn  ///< the mean over all steps of the update
};

/// The numbers of REINFORCE; its parts carry their own.
struct ReinforceOptions {
  double discount = 0.99;                    ///< of the return, in [0, 1]
  Index episodes = 10;                       ///< an update, > 0
  Baseline baseline = Baseline::MeanReturn;  ///< taken from the returns
  bool normalize_returns = true;             ///< divides by the returns' standard deviation over the update's steps
  double max_gradient_norm = std::numeric_limits<double>::infinity();  ///< longer gradients are scaled down to it, > 0
  std::uint64_t seed = 0;                                              ///< of the initial parameters

  /// Throws Error for a number out of range.
  void validate() const {
    constexpr auto where = "policy::Reinforce";
    require(discount >= 0 && discount <= 1, where, "discount must lie in [0, 1]", discount);
    require(episodes > 0, where, "episodes must be positive", episodes);
    require(max_gradient_norm > 0, where, "max_gradient_norm must be positive", max_gradient_norm);
  }
};

/// What an update found.
struct ReinforceLearned {
  double loss = std::numeric_limits<double>::quiet_NaN();           ///< -1/B sum A_t log pi(a_t | s_t), B episodes
  double mean_return = std::numeric_limits<double>::quiet_NaN();    ///< mean over episodes of the discounted return
  double entropy = std::numeric_limits<double>::quiet_NaN();        ///< mean of -log pi(a_t | s_t): of the policy
  double gradient_norm = std::numeric_limits<double>::quiet_NaN();  ///< before clipping

  /// The same by name.
  std::array<Metric, 4> metrics() const {
    return {{{"loss", loss}, {"mean_return", mean_return}, {"entropy", entropy}, {"gradient_norm", gradient_norm}}};
  }
};

namespace detail {

/// The types of a policy-gradient agent's parts, defaults in place, and every check of them.
template <class Scalar, class... Parts>
struct ReinforceTypes {
  using GivenHead = PartFor<roles::Head, SoftmaxHead, Parts...>;
  static constexpr bool head_fits = PolicyHead<GivenHead, Scalar>;
  using Head = OrDefault<head_fits, GivenHead, SoftmaxHead>;

  using GivenOptimizer = PartFor<roles::Optimizer, nn::Adam, Parts...>;
  static constexpr bool optimizer_fits = nn::OptimizerPart<GivenOptimizer, Scalar>;
  using Optimizer = OrDefault<optimizer_fits, GivenOptimizer, nn::Adam>;

  using GivenInitializer = PartFor<roles::Initializer, nn::PyTorchDefault, Parts...>;
  static constexpr bool initializer_fits = nn::InitializerPart<GivenInitializer, Scalar>;
  using Initializer = OrDefault<initializer_fits, GivenInitializer, nn::PyTorchDefault>;

  static consteval bool check() {
    CheckRoles<roles::Head, roles::Optimizer, roles::Initializer>::template of<Parts...>();
    static_assert(head_fits,
                  "mellow: the part for roles::Head does not fit: it needs probabilities(x, pi) const and "
                  "log_probability_gradient(x, action, out) const -> log pi(action) (PolicyHead in policy/heads.hpp)");
    static_assert(optimizer_fits,
                  "mellow: the part for roles::Optimizer does not fit: it needs State<Scalar> with "
                  "reset(nn::ParameterLayout), step(state, theta, gradient) const and learning_rate");
    static_assert(initializer_fits,
                  "mellow: the part for roles::Initializer does not fit: it needs fill<Scalar>(segment, values, rng) "
                  "const, or theta of the network's scalar type");
    return true;
  }
};

}  // namespace detail

/// -sum_i weights(i) log pi(actions(i) | x(i)) for outputs x (actions x batch), and its gradient in x; adds to
/// `log_probabilities` the sum of log pi(a_i). `allowed(i)` -> ActionMask says which actions column i is about, empty:
/// all; outputs of others have no gradient. `scratch` is reused.
template <class Head, class Scalar, class Actions, class Weights, class Allowed>
double policy_gradient_loss(const Head& head, const Eigen::Map<const Matrix<Scalar>>& x, const Actions& actions,
                            const Weights& weights, const Allowed& allowed, MatrixRef<Scalar> d_x,
                            std::array<Vector<Scalar>, 2>& scratch, double& log_probabilities) {
  double loss = 0.0;
  for (Index i = 0; i < x.cols(); ++i) {
    const ActionMask mask = allowed(i);
    const double weight = weights(i);
    auto d = d_x.col(i);
    double log_probability;
    if (mask.empty()) {
      log_probability = head.log_probability_gradient(x.col(i), actions(i), d);
      d *= static_cast<Scalar>(-weight);
    } else {
      const auto kept = operators::keep_allowed<Scalar>(x.col(i), mask, scratch[0]);
      scratch[1].resize(x.rows());
      auto d_kept = scratch[1].head(kept.size());
      const auto among = std::count(mask.begin(), mask.begin() + actions(i), true);
      log_probability = head.log_probability_gradient(kept, among, d_kept);
      d.setZero();
      for (Index a = 0, k = 0; a < x.rows(); ++a)
        if (mask[static_cast<std::size_t>(a)]) d[a] = static_cast<Scalar>(-weight) * d_kept[k++];
    }
    log_probabilities += log_probability;
    loss -= weight * log_probability;
  }
  return loss;
}

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
/// The network has an output for each action; the first choice where an unbiased gradient of the return matters more
/// than samples do. An environment needs episodes that end. A truncated episode counts as it is. After its store of
/// episodes has grown, a step allocates nothing.
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
        operators::keep_allowed<Scalar>(network_.forward(theta_, input_, acting_tape_).col(0), mask, scratch_[0]);
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

  /// One update on the episodes that have ended, which are forgotten then. Throws Error where there are none, or where
  /// loss or gradient are not finite.
  ReinforceLearned learn() {
    require(episodes_.finished() > 0, "policy::Reinforce", "an update needs an episode that has ended",
            episodes_.finished());
    ReinforceLearned learned{.mean_return = weigh()};
    const auto steps = static_cast<Index>(weights_.size());
    double log_probabilities = 0.0;
    learned.loss = 0.0;
    gradient_.setZero();
    for (Index begin = 0; begin < steps; begin += chunk) {
      const Index n = std::min(chunk, steps - begin);
      const auto outputs = network_.forward(theta_, episodes_.observations(begin, n), tape_);
      auto d_outputs = d_outputs_.reshape(network_.outputs(), n);
      learned.loss += policy_gradient_loss<Head, Scalar>(
          head_, outputs, [&](Index i) { return episodes_.action(begin + i); },
          [&](Index i) { return weights_[static_cast<std::size_t>(begin + i)]; },
          [&](Index i) { return episodes_.allowed(begin + i, mask_); }, d_outputs, scratch_, log_probabilities);
      network_.backward(theta_, tape_, d_outputs, gradient_);
    }
    learned.entropy = -log_probabilities / static_cast<double>(steps);
    if (!std::isfinite(learned.loss))
      throw Error("policy::Reinforce", fmt::format("the loss of update {} is not finite", updates_ + 1), learned.loss);
    learned.gradient_norm = nn::clip_norm<Scalar>(gradient_, static_cast<Scalar>(options_.max_gradient_norm));
    if (!std::isfinite(learned.gradient_norm))
      throw Error("policy::Reinforce", fmt::format("the gradient of update {} is not finite", updates_ + 1),
                  learned.gradient_norm);
    optimizer_.step(optimizer_state_, theta_, gradient_);
    ++updates_;
    episodes_.clear();
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
    Eigen::Map<Eigen::ArrayXd> weights(weights_.data(), static_cast<Index>(weights_.size()));
    const double first = episodes_.mean_of_first(weights_), mean = weights.mean();
    const double deviation = std::sqrt((weights - mean).square().mean());
    if (options_.baseline == Baseline::MeanReturn) weights -= mean;
    if (options_.normalize_returns && deviation > 1e-12 * std::abs(mean)) weights /= deviation;
    weights /= static_cast<double>(episodes_.finished());
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
  std::array<Vector<Scalar>, 2> scratch_;
  Eigen::Array<bool, Eigen::Dynamic, 1> mask_;
};

}  // namespace mellow::policy
