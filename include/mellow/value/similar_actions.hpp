// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <mellow/value/action_similarity.hpp>
#include <mellow/value/traces.hpp>

namespace mellow::value {

/// Every update of a table's action is one of all actions that are like it (the oracle of Zhou et al. 2022), each by its
/// own error:
///
///     Q(s, b) <- Q(s, b) + alpha sim(a, b) (y - Q(s, b))    for all b, where y = r + discount backup(Q(s', .))
///
/// Give it to a `TabularQ` in place of traces. Under exact duplicates it is plain learning of the task without them, bit
/// for bit. `SimilarityHead` is the same for networks.
struct SimilarActions {
  using role = roles::Traces;

  /// actions x actions: (b, a) says how far an update of a is one of b, in [0, 1], 1 where a = b.
  Matrix<double> similarity{};

  /// Throws Error for a matrix that is not square, or numbers out of range.
  void validate() const { detail::require_similarity("value::SimilarActions", similarity); }

  /// Throws Error where a table has another number of actions.
  void require_fits(Index actions) const {
    detail::require_similarity_of("value::SimilarActions", similarity, actions);
  }
};

/// Over similar actions: the state's entries learn, each by its own error.
template <>
class EligibilityTraces<SimilarActions> {
 public:
  /// The entries of a state's actions lie side by side.
  EligibilityTraces(const SimilarActions& kind, Index) : similarity_(kind.similarity) {}

  /// values of the visited state <- values + learning_rate x similarity x (target - values).
  void update(double* values, Index entry, double learning_rate, double td_error, double) {
    const Index actions = similarity_.rows(), action = entry % actions;
    double* const q = values + (entry - action);
    const double visited = q[action];
    for (Index b = 0; b < actions; ++b)
      q[b] += learning_rate * (similarity_(b, action) * (td_error + (visited - q[b])));
  }
  void decay(double) {}  ///< does nothing
  void clear() {}        ///< does nothing

  template <class Self, class Visit>
  static void visit_state(Self&, Visit&&) {}

 private:
  Matrix<double> similarity_;
};

}  // namespace mellow::value
