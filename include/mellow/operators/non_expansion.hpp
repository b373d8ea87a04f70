// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace mellow::operators {

/// An operator on the values of actions that says that it never widens a difference (Littman & Szepesvari 1996):
///
///     |op(p) - op(q)| <= max_a |p(a) - q(a)|,     Op::non_expansion = true
///
/// `Max`, `Mean`, `EpsilonMix` and `Mellowmax` are; `Boltzmann` is not. As a backup such an operator has one fixed
/// point, and the bounds of `value::ControlTargets` hold.
template <class Op>
concept NonExpansion = Op::non_expansion;

}  // namespace mellow::operators
