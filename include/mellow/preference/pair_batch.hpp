// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <concepts>
#include <span>
#include <string_view>

#include <mellow/core/error.hpp>
#include <mellow/core/types.hpp>

namespace mellow::preference {

namespace detail {
/// Throws Error for another size. Unlike `require`, makes no text where all is well.
inline void require_size(Index size, Index wanted, std::string_view where, std::string_view name) {
  if (size != wanted) throw Error(where, fmt::format("{} must have {} numbers", name, wanted), size);
}
inline void require_size_or_none(Index size, Index wanted, std::string_view where, std::string_view name) {
  if (size != 0 && size != wanted)
    throw Error(where, fmt::format("{} must be absent or have {} numbers", name, wanted), size);
}
}  // namespace detail

/// A view of contiguous numbers that live elsewhere, or of none: an Eigen vector or column, a std::vector, a span.
template <class Scalar>
class Column {
 public:
  Column() = default;  ///< of none
  /// Of an Eigen vector, segment, column or map, not of an expression that would have to be computed. Throws Error for
  /// a row of a matrix, whose numbers are not contiguous.
  template <class Derived>
    requires(bool(Derived::IsVectorAtCompileTime) && (Derived::Flags & Eigen::DirectAccessBit) != 0 &&
             std::same_as<typename Derived::Scalar, Scalar>)
  Column(const Eigen::DenseBase<Derived>& vector) : data_(vector.derived().data()), size_(vector.size()) {
    const Index stride = vector.derived().innerStride();
    if (size_ > 1 && stride != 1) throw Error("preference::Column", "the numbers must be contiguous", stride);
  }
  /// Of anything that a span can view.
  template <class Range>
    requires std::convertible_to<const Range&, std::span<const Scalar>>
  Column(const Range& range) {
    const std::span<const Scalar> span = range;
    data_ = span.data();
    size_ = static_cast<Index>(span.size());
  }

  Index size() const { return size_; }                   ///< how many numbers
  bool empty() const { return size_ == 0; }              ///< whether there are none
  const Scalar* data() const { return data_; }           ///< the first
  Scalar operator[](Index i) const { return data_[i]; }  ///< number i
  Scalar at(Index i, Scalar absent) const {
    return empty() ? absent : data_[i];
  }  ///< number i, or what stands for none

 private:
  const Scalar* data_ = nullptr;
  Index size_ = 0;
};

/// A batch of pairs as columns: log-probabilities summed over each response's tokens (see `Pair`). What a loss does not
/// need may be left out.
///
///     PairBatch<float> batch{.chosen = l_w, .rejected = l_l, .reference_chosen = r_w, .reference_rejected = r_l};
template <class Scalar = float>
struct PairBatch {
  Column<Scalar> chosen{};              ///< log pi(y_w | x), one a pair
  Column<Scalar> rejected{};            ///< log pi(y_l | x)
  Column<Scalar> reference_chosen{};    ///< log pi_ref(y_w | x); absent: 0
  Column<Scalar> reference_rejected{};  ///< log pi_ref(y_l | x); absent: 0
  Column<Scalar> chosen_tokens{};       ///< tokens of y_w, > 0; absent: 1
  Column<Scalar> rejected_tokens{};     ///< tokens of y_l, > 0; absent: 1
  Column<Scalar> weights{};             ///< of the pairs' losses, as WPO's; absent: 1

  Index size() const { return chosen.size(); }  ///< pairs

  /// Throws Error for a batch of none, for columns of different lengths, and for tokens that are not positive.
  void validate(std::string_view where) const {
    require(size() > 0, where, "the batch must have a pair", size());
    detail::require_size(rejected.size(), size(), where, "rejected");
    const auto fits = [&](const Column<Scalar>& column, std::string_view name) {
      detail::require_size_or_none(column.size(), size(), where, name);
    };
    fits(reference_chosen, "reference_chosen");
    fits(reference_rejected, "reference_rejected");
    fits(chosen_tokens, "chosen_tokens");
    fits(rejected_tokens, "rejected_tokens");
    fits(weights, "weights");
    const auto positive = [&](const Column<Scalar>& tokens, std::string_view name) {
      for (Index i = 0; i < tokens.size(); ++i)
        if (!(tokens[i] > 0)) throw Error(where, fmt::format("{} of pair {} must be positive", name, i), tokens[i]);
    };
    positive(chosen_tokens, "chosen_tokens");
    positive(rejected_tokens, "rejected_tokens");
  }
};

}  // namespace mellow::preference
