// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>

#include <mellow/core/types.hpp>
#include <mellow/language/token_sequences.hpp>
#include <mellow/language/tokenized_pairs.hpp>
#include <mellow/preference/pair_batch.hpp>

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

}  // namespace mellow::language::detail
