// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <span>
#include <vector>

#include <mellow/core/types.hpp>
#include <mellow/language/token_sequences.hpp>
#include <mellow/language/tokenized_pairs.hpp>
#include <mellow/preference/pair_batch.hpp>
#include <mellow/preference/unpaired.hpp>

namespace mellow::language::detail {

/// Pairs as a training reads them: of pair i sequence 2 i is the chosen one and 2 i + 1 the rejected one.
struct PairSet {
  TokenSequences sequences;
  Vector<double> chosen, rejected, reference_chosen, reference_rejected, chosen_tokens, rejected_tokens;

  PairSet() = default;
  explicit PairSet(std::span<const TokenizedPair> pairs) {
    resize(std::ssize(pairs));
    for (std::size_t i = 0; i < pairs.size(); ++i) {
      sequences.add(pairs[i].prompt, pairs[i].chosen);
      sequences.add(pairs[i].prompt, pairs[i].rejected);
      chosen_tokens[static_cast<Index>(i)] = static_cast<double>(pairs[i].chosen.size());
      rejected_tokens[static_cast<Index>(i)] = static_cast<double>(pairs[i].rejected.size());
    }
  }

  Index size() const { return chosen.size(); }
  /// Of both sequences of a pair, the prompt's twice.
  Index tokens(Index pair) const {
    return sequences.packed().length(2 * pair) + sequences.packed().length(2 * pair + 1);
  }
  void resize(Index n) {
    for (auto* column : {&chosen, &rejected, &reference_chosen, &reference_rejected, &chosen_tokens, &rejected_tokens})
      column->setZero(n);
  }

  /// Takes pairs of another set over, without their log-probabilities.
  void assign(const PairSet& other, std::span<const Index> rows) {
    for (Index k = 0; k < std::ssize(rows); ++k) {
      const Index i = rows[static_cast<std::size_t>(k)];
      reference_chosen[k] = other.reference_chosen[i];
      reference_rejected[k] = other.reference_rejected[i];
      chosen_tokens[k] = other.chosen_tokens[i];
      rejected_tokens[k] = other.rejected_tokens[i];
    }
  }

  /// `to` becomes the sequences of the given pairs.
  void copy_sequences(std::span<const Index> rows, TokenSequences& to) const {
    to.clear();
    for (const Index i : rows)
      for (const Index of_pair : {0, 1}) to.add(sequences, 2 * i + of_pair);
  }

  /// Log-probabilities of pairs first, first + 1, .. as sums over the completions' tokens of what was read of them.
  template <class Values>
  void sum(const PackedTokens& read, const Values& log_probabilities, Index first) {
    for (Index k = 0; k < read.sequences(); ++k) {
      double total = 0;
      for (Index t = read.start(k) + read.prompt(k); t < read.start(k + 1); ++t)
        total += static_cast<double>(log_probabilities[t]);
      (k % 2 == 0 ? chosen : rejected)[first + k / 2] = total;
    }
  }

  /// Pairs first .. first + n - 1 as a loss reads them.
  preference::PairBatch<double> batch(Index first, Index n, bool has_reference) const {
    preference::PairBatch<double> view{.chosen = chosen.segment(first, n),
                                       .rejected = rejected.segment(first, n),
                                       .chosen_tokens = chosen_tokens.segment(first, n),
                                       .rejected_tokens = rejected_tokens.segment(first, n)};
    if (has_reference) {
      view.reference_chosen = reference_chosen.segment(first, n);
      view.reference_rejected = reference_rejected.segment(first, n);
    }
    return view;
  }
};

/// Each prompt with both completions of the pair before it, the first with the last one's; cut where they outgrow the
/// context. Throws Error for a single pair.
inline std::vector<TokenizedPair> mismatched_pairs(std::span<const TokenizedPair> pairs, Index context) {
  std::vector<TokenizedPair> made;
  for (std::size_t i = 0; i < pairs.size(); ++i) {
    const auto other = static_cast<std::size_t>(
        preference::mismatched_response(static_cast<Index>(i), static_cast<Index>(pairs.size())));
    made.push_back({pairs[i].prompt, pairs[other].chosen, pairs[other].rejected});
    for (auto* completion : {&made.back().chosen, &made.back().rejected})
      completion->resize(std::min(completion->size(), static_cast<std::size_t>(context) - pairs[i].prompt.size()));
  }
  return made;
}

}  // namespace mellow::language::detail
