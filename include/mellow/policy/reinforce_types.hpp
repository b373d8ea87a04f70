// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <mellow/core/parts.hpp>
#include <mellow/nn/adam.hpp>
#include <mellow/nn/initializers.hpp>
#include <mellow/nn/parts.hpp>
#include <mellow/policy/heads.hpp>

namespace mellow::policy::detail {

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

  /// Says in words what is wrong with the parts.
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

}  // namespace mellow::policy::detail
