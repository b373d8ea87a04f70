// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cassert>
#include <vector>

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
  /// For sequences of up to `context` tokens, whose keys and values each have `rows` numbers a layer and token. Throws
  /// Error where this takes more memory than there is.
  KeyValueCache(Index sequences, Index context, Index layers, Index rows)
      : room_(detail::padded<Scalar>(context)), rows_(rows) {
    require(sequences >= 0, "language::KeyValueCache", "sequences must not be negative", sequences);
    within_memory(
        "language::KeyValueCache", "keys and values of this many sequences do not fit into memory", sequences, [&] {
          lengths_.assign(static_cast<std::size_t>(sequences), 0);
          layers_.assign(static_cast<std::size_t>(layers), Vector<Scalar>::Zero(2 * rows * room_ * sequences));
        });
  }

  Index sequences() const { return static_cast<Index>(lengths_.size()); }  ///< how many
  /// Tokens read of sequence i.
  Index length(Index i) const { return lengths_[static_cast<std::size_t>(i)]; }

  /// Forgets what sequence i read after its first `length` tokens.
  void truncate(Index i, Index length) {
    assert(length >= 0 && length <= this->length(i));
    lengths_[static_cast<std::size_t>(i)] = length;
  }
  /// Makes sequence `to` a copy of sequence `from`.
  void fork(Index from, Index to) {
    if (from != to) copy(*this, from, to);
  }
  /// Makes sequence `to` a copy of sequence `from` of another cache of the same sizes.
  void copy(const KeyValueCache& other, Index from, Index to) {
    assert(other.room_ == room_ && other.rows_ == rows_ && other.layers_.size() == layers_.size());
    const Index length = other.length(from);
    for (std::size_t l = 0; l < layers_.size(); ++l) {
      const auto [keys, values] = tokens(l, to);
      const Scalar* const own = other.layers_[l].data() + 2 * from * room_ * rows_;
      std::copy_n(own, rows_ * detail::padded<Scalar>(length), keys);
      std::copy_n(own + room_ * rows_, rows_ * length, values);
    }
    lengths_[static_cast<std::size_t>(to)] = length;
  }

  /// What a layer keeps of sequence i.
  Attention::CachedTokens<Scalar> tokens(std::size_t layer, Index i) {
    Scalar* const keys = layers_[layer].data() + 2 * i * room_ * rows_;
    return {keys, keys + room_ * rows_};
  }
  /// Keeps a key and the value below it as token t of sequence i.
  void store(std::size_t layer, Index i, Index t, const Scalar* key_and_value) {
    constexpr Index lanes = detail::lanes<Scalar>;
    const auto [keys, values] = tokens(layer, i);
    Scalar* const key = keys + t / lanes * lanes * rows_ + t % lanes;
    for (Index c = 0; c < rows_; ++c) key[c * lanes] = key_and_value[c];
    std::copy_n(key_and_value + rows_, rows_, values + t * rows_);
  }
  /// Notes that `count` tokens more were read.
  void extend(Index i, Index count) { lengths_[static_cast<std::size_t>(i)] += count; }

 private:
  Index room_, rows_;  // tokens of a sequence, padded
  std::vector<Index> lengths_;
  std::vector<Vector<Scalar>> layers_;  // of each sequence room x rows keys in blocks, then rows x room values
};

}  // namespace mellow::language
