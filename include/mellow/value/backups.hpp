// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <concepts>

#include <mellow/core/parts.hpp>
#include <mellow/core/types.hpp>
#include <mellow/operators/max.hpp>

namespace mellow::value {

/// A backup that needs the target network's values of the next state alone: `backup(target_q) -> value`.
template <class B, class Scalar>
concept TargetBackup = requires(const B backup, const Vector<Scalar> q) {
  { backup(q) } -> std::convertible_to<Scalar>;
};

/// A backup that needs the online network's values as well: `backup(target_q, online_q) -> value`. One that looks at
/// them only at times may say so by `wants_online() const -> bool`; what it is then given instead has no meaning.
template <class B, class Scalar>
concept OnlineBackup = !TargetBackup<B, Scalar> && requires(const B backup, const Vector<Scalar> q) {
  { backup(q, q) } -> std::convertible_to<Scalar>;
};

/// The value of a next state from the values of its actions; what `roles::Backup` asks for.
template <class B, class Scalar>
concept Backup = TargetBackup<B, Scalar> || OnlineBackup<B, Scalar>;

/// A backup that takes the value of one action and says of which: `select(target_q)`, or `select(target_q, online_q)` of
/// one that needs the online network's values. What heads of distributions ask for.
template <class B, class Scalar>
concept OneActionBackup = (TargetBackup<B, Scalar> && requires(const B backup, const Vector<Scalar> q) {
                            { backup.select(q) } -> std::convertible_to<Index>;
                          }) || (OnlineBackup<B, Scalar> && requires(const B backup, const Vector<Scalar> q) {
                            { backup.select(q, q) } -> std::convertible_to<Index>;
                          });

/// Double Q-learning (van Hasselt, Guez & Silver 2016): the online network selects the action, the target network gives
/// its value. Prefer it to `Max` where noisy values are over-estimated.
struct DoubleQ {
  using role = roles::Backup;

  /// target_q(argmax_a online_q(a)).
  template <class Target, class Online>
  typename Target::Scalar operator()(const Eigen::DenseBase<Target>& target_q,
                                     const Eigen::DenseBase<Online>& online_q) const {
    return target_q.derived()(operators::argmax(online_q));
  }

  /// The action whose value it takes: argmax_a online_q(a).
  template <class Target, class Online>
  Index select(const Eigen::DenseBase<Target>&, const Eigen::DenseBase<Online>& online_q) const {
    return operators::argmax(online_q);
  }
};

}  // namespace mellow::value
