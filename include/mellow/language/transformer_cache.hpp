// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <fmt/format.h>

#include <cassert>

#include <mellow/core/buffer.hpp>
#include <mellow/core/error.hpp>
#include <mellow/core/language_model.hpp>
#include <mellow/core/types.hpp>
#include <mellow/language/attention.hpp>
#include <mellow/language/key_value_cache.hpp>
#include <mellow/language/reading.hpp>
#include <mellow/language/sequence_attention.hpp>
#include <mellow/language/transformer_block.hpp>

namespace mellow::language {

template <class Scalar, class Shape>
class Transformer;

/// Keys and values of what a transformer has read of a number of sequences, and the memory of a pass that reads on: the
/// new tokens attend to all before them, whose keys and values are not computed again.
template <class Scalar, class Shape>
class TransformerCache : public KeyValueCache<Scalar> {
  template <class, class>
  friend class Transformer;
  using Block = detail::Block<Scalar, Shape>;
  using Columns = typename Block::Columns;
  using SequenceAttention = detail::SequenceAttention<Scalar, typename Shape::template Positions<Scalar>>;
  using KeyValueCache<Scalar>::KeyValueCache;

  /// Fills the stream with embed(token, position, column) of the packed tokens; gives how many sequences have any.
  template <class Embed>
  Index embed(const PackedTokens& packed, Index context, Index width, const Embed& embed_token) {
    width_ = width;
    auto stream = stream_.reshape(width, packed.size());
    Index read = 0;
    for (Index s = 0, i = 0; s < packed.sequences(); ++s) {
      const Index length = packed.length(s), before = this->length(s);
      if (length > 0) ++read;
      if (before + length > context)
        throw Error("language::Transformer", fmt::format("sequence {} outgrows the context of {} tokens", s, context),
                    before + length);
      for (Index t = 0; t < length; ++t)
        embed_token(packed.tokens[static_cast<std::size_t>(packed.start(s) + t)], before + t, stream.col(i++).data());
    }
    return read;
  }

  /// Takes the stream through all layers, `piece` columns at least at a time, and keeps their keys and values.
  /// `theta(layer)` are a layer's parameters.
  template <class Theta>
  void pass(const PackedTokens& packed, const Block& blocks, const SequenceAttention& within, Index layers, Index piece,
            const Theta& theta) {
    const Attention& attention = within.attention;
    Scalar* const stream = stream_.reshape(width_, packed.size()).data();
    detail::for_groups(packed.starts, piece, [&](std::size_t first, std::size_t last) {
      const Index begin = packed.starts[first], count = packed.starts[last] - begin;
      blocks.resize(block_, count);
      for (std::size_t l = 0; l < static_cast<std::size_t>(layers); ++l) {
        const auto attend = [&](Columns projections, Columns attended, Scalar*) {
          for (auto s = static_cast<Index>(first); s < static_cast<Index>(last); ++s) {
            const Index at = packed.start(s) - begin, length = packed.length(s), before = this->length(s);
            if (length == 0) continue;
            const Columns own = projections.from(0, at);
            for (Index i = 0; i < length; ++i) {
              within.turn(own.from(0, i).data, before + i);
              this->store(l, s, before + i, own.from(attention.query_rows(), i).data);
            }
            if (before == 0 && length > 1) {
              const Columns keys = own.from(attention.query_rows(), 0), values = keys.from(attention.key_rows(), 0);
              attention.template forward<Scalar>({own.data, own.stride}, length, {keys.data, keys.stride},
                                                 {values.data, values.stride}, attended.from(0, at), nullptr,
                                                 attention_);
            } else {
              for (Index i = 0; i < length; ++i)
                attention.forward_one(own.from(0, i).data, this->tokens(l, s), before + i + 1,
                                      attended.from(0, at + i).data, attention_);
            }
          }
        };
        blocks.template forward<false>(theta(l), 0, count, block_, stream + (begin - packed.start(0)) * width_, attend);
      }
    });
  }

  /// The stream's last column of each of the `read` sequences that have tokens, which now count as read.
  Scalar* last_columns(const PackedTokens& packed, Index read) {
    const auto stream = stream_.reshape(width_, packed.size());
    auto read_out = read_out_.reshape(width_, read);
    for (Index s = 0, i = 0; s < packed.sequences(); ++s) {
      if (packed.length(s) == 0) continue;
      this->extend(s, packed.length(s));
      read_out.col(i++) = stream.col(packed.start(s + 1) - packed.start(0) - 1);
    }
    return read_out.data();
  }

  Index width_ = 0;
  Buffer<Scalar> stream_, read_out_, logits_;
  typename Block::Tape block_;
  Attention::Workspace<Scalar> attention_;
  NormTape<Scalar> final_norm_;
};

}  // namespace mellow::language
