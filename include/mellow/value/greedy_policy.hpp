// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <utility>

#include <mellow/core/environment.hpp>
#include <mellow/core/error.hpp>
#include <mellow/core/network.hpp>
#include <mellow/operators/mask.hpp>
#include <mellow/value/acting_pass.hpp>
#include <mellow/value/scalar_head.hpp>

namespace mellow::value {

/// What remains of a deep Q agent when learning is over: a network, its parameters, and the action of the highest value,
///
///     greedy(s) = argmax_a Q(s, a)
///
/// where Q is what the head makes of the network's outputs: without one, the outputs themselves. It acts as the agent's
/// `greedy` does, bit for bit, needs nothing of the training code, and works wherever an agent is only asked for greedy
/// actions (`training::evaluate`). After the first action it does not allocate.
///
///     const nn::Mlp network({4, 64, 64, 2});
///     value::GreedyPolicy policy(network, tools::load_weights("weights.safetensors", network));
///     const Index action = policy.greedy(observation);
template <Network Net, class Head = ScalarHead>
class GreedyPolicy {
 public:
  using Scalar = typename Net::Scalar;  ///< of parameters and values

  /// Throws Error where `theta` has not one number for each of the network's parameters, or for a head's number out of
  /// range.
  explicit GreedyPolicy(Net network, Vector<Scalar> theta, Head head = {})
      : network_(std::move(network)), theta_(std::move(theta)), head_(std::move(head)) {
    head_.validate();
    require(theta_.size() == network_.parameters(), "value::GreedyPolicy",
            fmt::format("the network has {} parameters", network_.parameters()), theta_.size());
  }

  /// The best action among those that the mask allows; the first of equals. Throws Error for an observation or a mask
  /// of another length than the network's, or one that allows nothing.
  Index greedy(const ConstVectorRef<float>& observation, ActionMask mask = {}) {
    return acting_.best(network_, theta_, head_, observation, mask);
  }

  /// Q(s, .), one value an action; valid until the next call. Throws Error for an observation of another length than
  /// the network's input.
  auto values(const ConstVectorRef<float>& observation) {
    return head_.values(acting_.outputs(network_, theta_, observation));
  }

  const Net& network() const { return network_; }              ///< the network
  const Vector<Scalar>& parameters() const { return theta_; }  ///< its parameters

 private:
  Net network_;
  Vector<Scalar> theta_;
  Head head_;
  detail::ActingPass<Net> acting_{"value::GreedyPolicy"};
};

}  // namespace mellow::value
