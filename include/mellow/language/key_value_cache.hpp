// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cassert>
#include <vector>

#include <mellow/core/buffer.hpp>
#include <mellow/core/language_model.hpp>
#include <mellow/core/memory.hpp>
#include <mellow/core/types.hpp>
#include <mellow/language/attention.hpp>

namespace mellow::language {

/// Keys and values of the tokens that a transformer has read of some sequences, for each of its layers: what attention
/// needs of them again. Copies of it, and `fork`, let several continuations share what was read.
template <class Scalar>
class KeyValueCache {
 public:
  /// For sequences of up to `context` tokens, whose keys and values have `rows` numbers a layer and token. Throws Error
  /// where this takes more memory than there is.
  KeyValueCache(Index sequences, Index context, Index layers, Index rows) : context_(context), rows_(rows) {
    require(sequences >= 0, "language::KeyValueCache", "sequences must not be negative", sequences);
    lengths_.assign(static_cast<std::size_t>(sequences), 0);
    within_memory(
        "language::KeyValueCache", "keys and values of this many sequences do not fit into memory", sequences,
        [&] { layers_.assign(static_cast<std::size_t>(layers), Vector<Scalar>(rows * context * sequences)); });
  }

  Index sequences() const { return static_cast<Index>(lengths_.size()); }  ///< how many
  Index context() const { return context_; }                               ///< most tokens of a sequence
  /// Tokens read of sequence i.
  Index length(Index i) const { return lengths_[static_cast<std::size_t>(i)]; }

  /// Forgets what sequence i read after its first `length` tokens.
  void truncate(Index i, Index length) {
    assert(length >= 0 && length <= this->length(i));
    lengths_[static_cast<std::size_t>(i)] = length;
  }
  /// Makes sequence `to` a copy of sequence `from`.
  void fork(Index from, Index to) {
    if (from == to) return;
    for (std::size_t l = 0; l < layers_.size(); ++l)
      std::copy_n(columns(l, from).data, rows_ * length(from), columns(l, to).data);
    lengths_[static_cast<std::size_t>(to)] = length(from);
  }

  /// Keys and, below them, values of sequence i in a layer: a column a token.
  Attention::Columns<Scalar> columns(std::size_t layer, Index i) {
    return {layers_[layer].data() + i * context_ * rows_, rows_};
  }
  /// Notes that `count` tokens more were read.
  void extend(Index i, Index count) { lengths_[static_cast<std::size_t>(i)] += count; }

 private:
  Index context_, rows_;
  std::vector<Index> lengths_;
  std::vector<Vector<Scalar>> layers_;
};

}  // namespace mellow::language
