// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cassert>
#include <span>

#include <mellow/core/types.hpp>
#include <mellow/data/batch.hpp>
#include <mellow/operators/mask.hpp>
#include <mellow/value/backups.hpp>

/// What heads share whose network has several outputs an action: atoms' logits, quantiles.
namespace mellow::value::detail {

/// Outputs as blocks of `size` numbers, an action's side by side, and the value that a block stands for.
template <class Scalar, class ValueOf>
struct ActionBlocks {
  const Scalar* data;
  Index stride, size, actions;  // from sample to sample; numbers a block; blocks a sample
  ValueOf value_of;             // of the first number of a block

  /// Of outputs that lie in memory column by column, and stay there as long as this does.
  template <class Derived>
  ActionBlocks(const Eigen::MatrixBase<Derived>& outputs, Index numbers, ValueOf value_of_block)
      : data(outputs.derived().data()),
        stride(outputs.derived().outerStride()),
        size(numbers),
        actions(outputs.rows() / numbers),
        value_of(value_of_block) {}

  const Scalar* block(Index action, Index sample) const { return data + sample * stride + action * size; }
  Scalar value(Index action, Index sample) const { return value_of(block(action, sample)); }

  /// The first action of the highest value.
  Index greedy(Index sample) const {
    Index best = 0;
    Scalar highest = value(0, sample);
    for (Index action = 1; action < actions; ++action)
      if (const Scalar q = value(action, sample); q > highest) highest = q, best = action;
    return best;
  }
};
template <class Derived, class ValueOf>
ActionBlocks(const Eigen::MatrixBase<Derived>&, Index, ValueOf) -> ActionBlocks<typename Derived::Scalar, ValueOf>;

/// The values of the actions, actions x batch, as an expression of the outputs.
template <class Derived, class ValueOf>
auto action_values(const Eigen::MatrixBase<Derived>& outputs, Index size, ValueOf value_of) {
  using Scalar = typename Derived::Scalar;
  const ActionBlocks blocks(outputs, size, value_of);
  if constexpr (Derived::ColsAtCompileTime == 1)
    return Vector<Scalar>::NullaryExpr(blocks.actions, [blocks](Index action) { return blocks.value(action, 0); });
  else
    return Matrix<Scalar>::NullaryExpr(blocks.actions, outputs.cols(),
                                       [blocks](Index action, Index sample) { return blocks.value(action, sample); });
}

/// Mean square of outputs - wanted, over all outputs or, where `taken` names an action a sample, over those actions'
/// blocks of `size`; writes the gradient in the outputs.
template <class Scalar>
Scalar mean_squared_distance(const ConstMatrixRef<Scalar>& outputs, const ConstMatrixRef<Scalar>& wanted, Index size,
                             std::span<const Index> taken, MatrixRef<Scalar> d_outputs) {
  assert(outputs.rows() == wanted.rows() && outputs.cols() == wanted.cols());
  assert(outputs.rows() == d_outputs.rows() && outputs.cols() == d_outputs.cols());
  assert(taken.empty() || std::ssize(taken) == outputs.cols());
  if (taken.empty()) d_outputs = outputs - wanted;
  else d_outputs.setZero();
  for (Index i = 0; i < std::ssize(taken); ++i) {
    const Index first = taken[static_cast<std::size_t>(i)] * size;
    d_outputs.col(i).segment(first, size) = outputs.col(i).segment(first, size) - wanted.col(i).segment(first, size);
  }
  const Scalar share = Scalar(1) / static_cast<Scalar>(taken.empty() ? outputs.size() : std::ssize(taken) * size);
  const Scalar distance = share * d_outputs.squaredNorm();
  d_outputs *= Scalar(2) * share;
  return distance;
}

/// Which action a backup takes in a next state, among the allowed ones; room for the values it looks at.
template <class Scalar>
class NextAction {
 public:
  template <class B, class Blocks>
  Index select(const B& backup, const data::Batch<Scalar>& batch, Index i, const Blocks& target, const Blocks& online) {
    const ActionMask mask = batch.mask(i);
    const auto target_q = allowed(target, i, mask, target_);
    if constexpr (TargetBackup<B, Scalar>) return operators::nth_allowed(mask, backup.select(target_q));
    else return operators::nth_allowed(mask, backup.select(target_q, allowed(online, i, mask, online_)));
  }

 private:
  struct Values {
    Vector<Scalar> all, allowed;
  };

  template <class Blocks>
  static Eigen::Map<const Vector<Scalar>> allowed(const Blocks& blocks, Index i, ActionMask mask, Values& values) {
    values.all.resize(blocks.actions);
    for (Index action = 0; action < blocks.actions; ++action) values.all[action] = blocks.value(action, i);
    if (mask.empty()) return {values.all.data(), blocks.actions};
    return operators::keep_allowed<Scalar>(values.all, mask, values.allowed);
  }

  Values target_, online_;
};

}  // namespace mellow::value::detail
