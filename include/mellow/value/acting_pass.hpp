// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <concepts>
#include <iterator>
#include <string_view>

#include <mellow/core/error.hpp>
#include <mellow/core/network.hpp>
#include <mellow/core/rng.hpp>
#include <mellow/core/types.hpp>
#include <mellow/operators/mask.hpp>
#include <mellow/operators/max.hpp>

namespace mellow::value::detail {

/// Looks at one observation at a time, through a network and a head; keeps the room that it takes.
template <Network Net>
class ActingPass {
 public:
  using Scalar = typename Net::Scalar;  ///< of parameters and values

  /// `where` is whose name errors bear.
  explicit ActingPass(std::string_view where) : where_(where) {}

  /// Holds the noise of what follows, where the network has any.
  typename Net::Tape& tape() { return tape_; }

  /// Throws Error where an observation is not of the length that the network takes.
  void require_input(const Net& network, Index size) const {
    if (size != network.inputs())
      throw Error(where_, fmt::format("an observation needs {} numbers", network.inputs()), size);
  }

  /// Throws Error for an index that is no action of the head.
  template <class Head>
  void require_action(const Net& network, const Head& head, const typename Head::Action& action) const {
    if constexpr (std::integral<typename Head::Action>) {
      Index actions = network.outputs();
      if constexpr (requires { head.actions(actions); }) actions = head.actions(actions);
      if (action < 0 || action >= actions) throw Error(where_, "there is no such action", action);
    }
  }

  /// What the network makes of an observation; a view that lives until the next call.
  auto outputs(const Net& network, const Vector<Scalar>& theta, const ConstVectorRef<float>& observation) {
    require_input(network, observation.size());
    input_.resize(observation.size(), 1);
    std::copy_n(observation.data(), observation.size(), input_.data());
    return network.forward(theta, input_, tape_).col(0);
  }

  /// Values of the allowed actions; a view that lives until the next call.
  template <class Head>
  auto values(const Net& network, const Vector<Scalar>& theta, const Head& head,
              const ConstVectorRef<float>& observation, ActionMask mask) {
    return operators::keep_allowed<Scalar>(head.values(outputs(network, theta, observation)), mask, allowed_);
  }

  /// The best of the allowed actions.
  template <class Head>
  typename Head::Action best(const Net& network, const Vector<Scalar>& theta, const Head& head,
                             const ConstVectorRef<float>& observation, ActionMask mask) {
    if constexpr (std::integral<typename Head::Action>)
      if (!mask.empty())
        return operators::nth_allowed(mask, operators::argmax(values(network, theta, head, observation, mask)));
    return head.greedy(outputs(network, theta, observation));
  }

  /// Any of the allowed actions, each with the same probability.
  template <class Head>
  static typename Head::Action random(const Net& network, const Head& head, ActionMask mask, Rng& rng) {
    if constexpr (std::integral<typename Head::Action>)
      if (!mask.empty())
        return operators::nth_allowed(mask, rng.below(operators::count_allowed(std::ssize(mask), mask)));
    return head.random(network.outputs(), rng);
  }

 private:
  std::string_view where_;
  typename Net::Tape tape_;
  Matrix<Scalar> input_;
  Vector<Scalar> allowed_;
};

}  // namespace mellow::value::detail
