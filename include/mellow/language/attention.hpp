// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cassert>
#include <cmath>
#include <limits>

#include <mellow/core/buffer.hpp>
#include <mellow/core/gemm.hpp>
#include <mellow/core/types.hpp>
#include <mellow/language/attend_one.hpp>

namespace mellow::language {

namespace detail {

/// An array of padded length that begins at an aligned address.
template <class Scalar>
using PaddedArray = Eigen::Map<Eigen::Array<Scalar, Eigen::Dynamic, 1>, Eigen::AlignedMax>;

}  // namespace detail

/// Causal attention of several heads (Vaswani et al. 2017), a sequence at a time. For each head, over the columns of
/// queries Q, keys K and values V, with w the width of a head:
///
///     P = softmax(K' Q / sqrt(w)) over the keys up to the query's own,     O = V P
///     dV = dO P',   dP = V' dO,   dS = P (dP - rowsum(P dP)) / sqrt(w),   dQ = K dS,   dK = Q dS'
///
/// The backward pass computes P once more from the logarithm of its sums (Dao et al. 2022), so that nothing as large as
/// keys x queries is kept. Where there are fewer heads of keys and values, neighbouring heads share one (Ainslie et al.
/// 2023).
class Attention {
 public:
  /// Scratch memory for one head's scores of a block of queries.
  template <class Scalar>
  struct Workspace {
    /// @{
    /// Keys x queries.
    Buffer<Scalar> scores, d_scores;
    /// @}
  };

  /// Columns of numbers that lie elsewhere, `stride` apart.
  template <class Scalar>
  struct Columns {
    Scalar* data;  ///< the first
    Index stride;  ///< from a column to the next
    /// Those that begin at a row and a column.
    Columns from(Index row, Index column) const { return {data + row + column * stride, stride}; }
  };

  /// Keys and values of tokens that were read before. Keys lie in blocks of as many tokens as a packet has numbers: each
  /// block is a matrix, tokens x key_rows, so that a query's products with a block are packets. Values are columns.
  template <class Scalar>
  struct CachedTokens {
    /// @{
    /// The first.
    Scalar *keys, *values;
    /// @}
  };

  /// `key_value_heads` must divide `heads`.
  Attention(Index heads, Index key_value_heads, Index head_width)
      : heads_(heads),
        group_(heads / key_value_heads),
        head_width_(head_width),
        scale_(1.0 / std::sqrt(static_cast<double>(head_width))) {
    assert(heads % key_value_heads == 0);
  }

  Index query_rows() const { return heads_ * head_width_; }         ///< of a query: all heads'
  Index key_rows() const { return heads_ / group_ * head_width_; }  ///< of a key, and of a value, which follows it
  Index heads() const { return heads_; }                            ///< of queries
  Index key_heads() const { return heads_ / group_; }               ///< of keys and of values

  /// Writes the outputs, query_rows x n, of a sequence of n tokens. With `log_sums` (heads x n) given, writes the
  /// logarithm of the softmax's sums there.
  template <class Scalar>
  void forward(Columns<const Scalar> queries, Index n, Columns<const Scalar> keys, Columns<const Scalar> values,
               Columns<Scalar> outputs, Scalar* log_sums, Workspace<Scalar>& workspace) const {
    using Gemm = mellow::detail::Gemm<Scalar>;
    const auto scale = static_cast<Scalar>(scale_);
    for (Index h = 0; h < heads_; ++h) {
      const Index row = h * head_width_, key_row = key_row_of(h);
      const auto value = values.from(key_row, 0);
      for_blocks(n, [&](Index begin, Index count, Index seen) {
        const Index height = detail::padded<Scalar>(seen);
        Scalar* const scores =
            raw_scores<Scalar>(queries.from(row, begin), count, keys.from(key_row, 0), seen, workspace);
        for (Index i = 0; i < count; ++i) {
          const Index valid = begin + i + 1;
          Scalar* const column = scores + i * height;
          const auto [largest, sum] = detail::exponentiate(column, valid, height, scale);
          detail::PaddedArray<Scalar>(column, detail::padded<Scalar>(valid)) *= Scalar(1) / sum;
          if (log_sums != nullptr) log_sums[h + (begin + i) * heads_] = largest * scale + std::log(sum);
        }
        const auto to = outputs.from(row, begin);
        Gemm::set(head_width_, count, seen, {value.data, 1, value.stride}, {scores, 1, height},
                  {to.data, 1, to.stride});
      });
    }
  }

  /// Writes the output, of query_rows numbers, of one query over the first n tokens of a cache.
  template <class Scalar>
  void forward_one(const Scalar* query, const CachedTokens<Scalar>& cached, Index n, Scalar* output,
                   Workspace<Scalar>& workspace) const {
    const auto scale = static_cast<Scalar>(scale_);
    const Index height = detail::padded<Scalar>(n);
    Scalar* const scores = workspace.scores.reshape(height, 1).data();
    for (Index h = 0; h < heads_; ++h) {
      const Index row = h * head_width_, key_row = key_row_of(h);
      detail::scores_of_one(query + row, head_width_, cached.keys + key_row * detail::lanes<Scalar>,
                            key_rows() * detail::lanes<Scalar>, n, scores);
      const auto [largest, sum] = detail::exponentiate(scores, n, height, scale);
      detail::weighted_sum(scores, n, cached.values + key_row, key_rows(), head_width_, Scalar(1) / sum, output + row);
    }
  }

  /// Writes d queries, d keys and d values of a sequence of n tokens, from the derivatives by its outputs.
  template <class Scalar>
  void backward(Columns<const Scalar> queries, Index n, Columns<const Scalar> keys, const Scalar* log_sums,
                Columns<const Scalar> d_outputs, Columns<Scalar> d_queries, Columns<Scalar> d_keys,
                Workspace<Scalar>& workspace) const {
    using Gemm = mellow::detail::Gemm<Scalar>;
    const auto scale = static_cast<Scalar>(scale_);
    for (Index i = 0; i < n; ++i) std::fill_n(d_keys.data + i * d_keys.stride, 2 * key_rows(), Scalar(0));
    for (Index h = 0; h < heads_; ++h) {
      const Index row = h * head_width_, key_row = key_row_of(h), value_row = key_rows() + key_row;
      const auto key = keys.from(key_row, 0), value = keys.from(value_row, 0);
      const auto d_key = d_keys.from(key_row, 0), d_value = d_keys.from(value_row, 0);
      for_blocks(n, [&](Index begin, Index count, Index seen) {
        const Index height = detail::padded<Scalar>(seen);
        const auto query = queries.from(row, begin), d_output = d_outputs.from(row, begin);
        const auto d_query = d_queries.from(row, begin);
        Scalar* const p = raw_scores<Scalar>(query, count, key, seen, workspace);
        Scalar* const d = workspace.d_scores.reshape(height, count).data();
        Gemm::set(seen, count, head_width_, {value.data, value.stride, 1}, {d_output.data, 1, d_output.stride},
                  {d, 1, height});
        for (Index i = 0; i < count; ++i) {
          const Index valid = begin + i + 1, whole = detail::padded<Scalar>(valid);
          std::fill(d + i * height + valid, d + (i + 1) * height, Scalar(0));
          detail::PaddedArray<Scalar> p_i(p + i * height, whole), d_i(d + i * height, whole);
          p_i = (p_i * scale - log_sums[h + (begin + i) * heads_]).exp();
          std::fill(p + i * height + valid, p + (i + 1) * height, Scalar(0));
          const Scalar mean = (p_i * d_i).sum();
          d_i = scale * p_i * (d_i - mean);
        }
        Gemm::add(head_width_, seen, count, {d_output.data, 1, d_output.stride}, {p, height, 1},
                  {d_value.data, 1, d_value.stride});
        Gemm::set(head_width_, count, seen, {key.data, 1, key.stride}, {d, 1, height},
                  {d_query.data, 1, d_query.stride});
        Gemm::add(head_width_, seen, count, {query.data, 1, query.stride}, {d, height, 1},
                  {d_key.data, 1, d_key.stride});
      });
    }
  }

 private:
  static constexpr Index block = 64;  // queries: the keys after a block's last are left out

  /// The row at which the keys of a head of queries begin, and its values.
  Index key_row_of(Index head) const { return head / group_ * head_width_; }

  /// Calls body(begin, count, keys seen by the last) for one block of queries after the other.
  template <class Body>
  static void for_blocks(Index n, const Body& body) {
    for (Index begin = 0; begin < n; begin += block) {
      const Index count = std::min(block, n - begin);
      body(begin, count, begin + count);
    }
  }

  /// K' Q, in columns of padded height.
  template <class Scalar>
  Scalar* raw_scores(Columns<const Scalar> queries, Index count, Columns<const Scalar> keys, Index seen,
                     Workspace<Scalar>& workspace) const {
    const Index height = detail::padded<Scalar>(seen);
    Scalar* const scores = workspace.scores.reshape(height, count).data();
    mellow::detail::Gemm<Scalar>::set(seen, count, head_width_, {keys.data, keys.stride, 1},
                                      {queries.data, 1, queries.stride}, {scores, 1, height});
    return scores;
  }

  Index heads_, group_, head_width_;
  double scale_;
};

}  // namespace mellow::language
