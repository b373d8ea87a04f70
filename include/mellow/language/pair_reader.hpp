// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <array>
#include <numeric>
#include <span>
#include <utility>
#include <vector>

#include <mellow/language/pair_set.hpp>
#include <mellow/language/token_sequences.hpp>
#include <mellow/preference/pair_loss.hpp>

namespace mellow::language::detail {

/// The loss, and the metrics in the order of PairMetrics, as processes sum them.
using PairFigures = std::array<double, 7>;

/// Adds a share of what a loss found.
inline void add(PairFigures& figures, const preference::PairLossValue& found, double share) {
  const auto& m = found.metrics;
  const PairFigures values{found.value,       m.chosen_reward,     m.rejected_reward, m.accuracy,
                           m.chosen_log_prob, m.rejected_log_prob, m.clipped};
  for (std::size_t k = 0; k < figures.size(); ++k) figures[k] += share * values[k];
}
/// The same by name.
inline preference::PairLossValue named(const PairFigures& f) { return {f[0], {f[1], f[2], f[3], f[4], f[5], f[6]}}; }

/// Reads pairs by a model, so many at once, whatever their loss.
template <class Step>
class PairReader {
 public:
  PairReader(Step step, Index at_once) : step_(std::move(step)), at_once_(at_once) {}

  Step& step() { return step_; }
  const Step& step() const { return step_; }
  PackedTokens last() const { return read_.packed(); }  ///< what was read last: two sequences a pair

  /// Calls body(begin, count) for the parts of n pairs that are read at once.
  template <class Body>
  void for_parts(Index n, const Body& body) const {
    for (Index begin = 0; begin < n; begin += at_once_) body(begin, std::min(at_once_, n - begin));
  }
  /// The same for the parts of given pairs: body(their numbers, begin).
  template <class Body>
  void for_parts(std::span<const Index> pairs, const Body& body) const {
    for_parts(std::ssize(pairs), [&](Index begin, Index count) {
      body(pairs.subspan(static_cast<std::size_t>(begin), static_cast<std::size_t>(count)), begin);
    });
  }
  /// The numbers 0 .. n - 1, for sets that are read as a whole.
  std::span<const Index> all(Index n) {
    if (std::ssize(all_) < n) {
      all_.resize(static_cast<std::size_t>(n));
      std::iota(all_.begin(), all_.end(), Index(0));
    }
    return std::span(all_).first(static_cast<std::size_t>(n));
  }

  /// Reads pairs of a set: gives log p of their tokens, a view; the sums become those of the pairs of `to` from `first`
  /// on.
  auto read(const PairSet& set, std::span<const Index> pairs, PairSet& to, Index first) {
    set.copy_sequences(pairs, read_);
    auto log_probabilities = step_.read(read_);
    to.sum(read_.packed(), log_probabilities, first);
    return log_probabilities;
  }
  /// Reads all pairs of a set.
  void read_all(PairSet& set) {
    for_parts(all(set.size()), [&](std::span<const Index> pairs, Index begin) { read(set, pairs, set, begin); });
  }
  /// Reads all pairs of a set by a reference, whose `log_probabilities(sequences)` are given; calls then(these, begin).
  template <class Read, class Then>
  void read_reference(PairSet& set, const Read& log_probabilities, const Then& then) {
    for_parts(all(set.size()), [&](std::span<const Index> pairs, Index begin) {
      set.copy_sequences(pairs, read_);
      const auto values = log_probabilities(std::as_const(read_));
      set.sum(read_.packed(), values, begin);
      then(values, begin);
    });
    set.reference_chosen = set.chosen;
    set.reference_rejected = set.rejected;
  }

 private:
  Step step_;
  Index at_once_;
  TokenSequences read_;
  std::vector<Index> all_;
};

}  // namespace mellow::language::detail
