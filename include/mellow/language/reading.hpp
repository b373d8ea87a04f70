// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <vector>

#include <mellow/core/language_model.hpp>
#include <mellow/core/types.hpp>

namespace mellow::language::detail {

/// What a training pass reads of packed sequences, a column a token, and which columns foretell what is scored. The last
/// token of a sequence foretells nothing and is left out.
struct Reading {
  std::vector<Token> tokens;   // all but the last of each sequence
  std::vector<Index> starts;   // of each sequence's columns, and the end
  std::vector<Index> scored;   // columns whose next token is scored
  std::vector<Index> places;   // of these tokens among the packed ones
  std::vector<Token> targets;  // these tokens

  Index columns() const { return static_cast<Index>(tokens.size()); }
  std::size_t sequences() const { return starts.size() - 1; }
  /// Where sequences first to last - 1 start, and the end.
  std::span<const Index> starts_of(std::size_t first, std::size_t last) const {
    return std::span(starts).subspan(first, last - first + 1);
  }
  Index scored_columns() const { return static_cast<Index>(scored.size()); }

  /// Calls body(column, token, position in its sequence) for every column.
  template <class Body>
  void for_columns(const Body& body) const {
    for (std::size_t s = 0; s < sequences(); ++s)
      for (Index i = starts[s]; i < starts[s + 1]; ++i) body(i, tokens[static_cast<std::size_t>(i)], i - starts[s]);
  }

  /// Takes nothing from the heap for packed sequences that are not larger than earlier ones.
  void assign(const PackedTokens& packed) {
    tokens.clear();
    scored.clear();
    places.clear();
    targets.clear();
    starts.assign(1, 0);
    for (Index s = 0; s < packed.sequences(); ++s) {
      const auto own =
          packed.tokens.subspan(static_cast<std::size_t>(packed.start(s)), static_cast<std::size_t>(packed.length(s)));
      for (Index t = packed.prompt(s); t < packed.length(s); ++t) {
        scored.push_back(starts.back() + t - 1);
        places.push_back(packed.start(s) - packed.start(0) + t);
        targets.push_back(own[static_cast<std::size_t>(t)]);
      }
      tokens.insert(tokens.end(), own.begin(), own.end() - 1);
      starts.push_back(static_cast<Index>(tokens.size()));
    }
  }
};

/// Calls body(first sequence, end of sequences) for one group of sequences after the other, each of at least `enough`
/// columns but the last, by the columns at which the sequences start, and the end.
template <class Body>
void for_groups(std::span<const Index> starts, Index enough, const Body& body) {
  const std::size_t sequences = starts.size() - 1;
  for (std::size_t first = 0, last = 0; first < sequences; first = last) {
    while (last < sequences && starts[last] - starts[first] < enough) ++last;
    if (starts[last] > starts[first]) body(first, last);
  }
}

}  // namespace mellow::language::detail
