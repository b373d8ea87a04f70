// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cmath>
#include <limits>
#include <span>
#include <vector>

#include <mellow/core/buffer.hpp>
#include <mellow/core/gemm.hpp>
#include <mellow/core/language_model.hpp>
#include <mellow/core/types.hpp>
#include <mellow/language/attention.hpp>

namespace mellow::language::detail {

/// Logits W x of the next token, W of vocabulary x width (row-major), and the logarithms of their softmax.
template <class Scalar>
class SoftmaxHead {
 public:
  using View = Eigen::Map<const Matrix<Scalar>, Eigen::AlignedMax, Eigen::OuterStride<>>;

  /// What the backward passes need.
  struct Tape {
    Buffer<Scalar> log_probabilities;           // padded vocabulary x n
    Buffer<Scalar> d_logits, inputs, d_inputs;  // of a piece of the columns
    std::vector<Index> columns;                 // those that have a derivative
  };

  SoftmaxHead(Index vocabulary, Index width)
      : vocabulary_(vocabulary), height_(padded<Scalar>(vocabulary)), width_(width) {}

  /// vocabulary x n logits, in columns of padded height that end with -infinity.
  Scalar* logits(const Scalar* weight, const Scalar* x, Index n, Buffer<Scalar>& to) const {
    Scalar* const data = to.reshape(height_, n).data();
    for (Index i = 0; i < n; ++i)
      std::fill(data + i * height_ + vocabulary_, data + (i + 1) * height_, -std::numeric_limits<Scalar>::infinity());
    mellow::detail::Gemm<Scalar>::set(vocabulary_, n, width_, {weight, width_, 1}, {x, 1, width_}, {data, 1, height_});
    return data;
  }

  /// Keeps log softmax(W x) of n columns.
  void forward(const Scalar* weight, const Scalar* x, Index n, Tape& tape) const {
    Scalar* const data = logits(weight, x, n, tape.log_probabilities);
    for (Index i = 0; i < n; ++i) {
      PaddedArray<Scalar> column(data + i * height_, height_);
      const Scalar largest = column.maxCoeff();
      column -= largest + std::log((column - largest).exp().sum());
    }
  }

  /// What `forward` kept.
  View log_probabilities(Tape& tape, Index n) const {
    return {tape.log_probabilities.reshape(height_, n).data(), vocabulary_, n, Eigen::OuterStride<>(height_)};
  }
  /// The same of `logits`.
  View view(const Scalar* logits, Index n) const { return {logits, vocabulary_, n, Eigen::OuterStride<>(height_)}; }

  /// d logits = w (onehot(target) - p) for the columns with a weight w other than 0. Adds to the gradient of W and to
  /// the zeros of d x.
  void backward(const Scalar* weight, const Scalar* x, Index n, std::span<const Token> targets, const Scalar* weights,
                Tape& tape, Scalar* gradient, Scalar* d_x) const {
    tape.columns.clear();
    for (Index i = 0; i < n; ++i)
      if (weights[i] != Scalar(0)) tape.columns.push_back(i);
    for_pieces(weight, x, n, tape, gradient, d_x, [&](Index i, PaddedArray<Scalar> p, PaddedArray<Scalar> d) {
      d = -weights[i] * p.exp();
      d[targets[static_cast<std::size_t>(i)]] += weights[i];
    });
  }

  /// The same for d log p, vocabulary x n: d logits = d log p - p sum(d log p).
  void backward(const Scalar* weight, const Scalar* x, Index n, const ConstMatrixRef<Scalar>& d_log_probabilities,
                Tape& tape, Scalar* gradient, Scalar* d_x) const {
    tape.columns.clear();
    for (Index i = 0; i < n; ++i) tape.columns.push_back(i);
    for_pieces(weight, x, n, tape, gradient, d_x, [&](Index i, PaddedArray<Scalar> p, PaddedArray<Scalar> d) {
      d = -d_log_probabilities.col(i).sum() * p.exp();
      d.head(vocabulary_) += d_log_probabilities.col(i).array();
    });
  }

 private:
  /// Calls derive(i, log p, d logits) for the tape's columns, a piece of them after the other, so that memory does not
  /// grow with the vocabulary; takes each piece through the product.
  template <class Derive>
  void for_pieces(const Scalar* weight, const Scalar* x, Index n, Tape& tape, Scalar* gradient, Scalar* d_x,
                  const Derive& derive) const {
    using Gemm = mellow::detail::Gemm<Scalar>;
    const Index most = std::max<Index>(16, (Index{1} << 18) / height_);
    Scalar* const log_probabilities = tape.log_probabilities.reshape(height_, n).data();
    const auto all = static_cast<Index>(tape.columns.size());
    for (Index begin = 0; begin < all; begin += most) {
      const Index count = std::min(most, all - begin);
      Scalar* const d = tape.d_logits.reshape(height_, count).data();
      Scalar* const inputs = tape.inputs.reshape(width_, count).data();
      Scalar* const d_inputs = tape.d_inputs.reshape(width_, count).data();
      const auto column = [&](Index k) { return tape.columns[static_cast<std::size_t>(begin + k)]; };
      for (Index k = 0; k < count; ++k) {
        const Index i = column(k);
        derive(i, PaddedArray<Scalar>(log_probabilities + i * height_, height_),
               PaddedArray<Scalar>(d + k * height_, height_));
        std::copy_n(x + i * width_, width_, inputs + k * width_);
      }
      Gemm::add(width_, vocabulary_, count, {inputs, 1, width_}, {d, height_, 1}, {gradient, 1, width_});
      Gemm::set(width_, count, vocabulary_, {weight, 1, width_}, {d, 1, height_}, {d_inputs, 1, width_});
      for (Index k = 0; k < count; ++k) std::copy_n(d_inputs + k * width_, width_, d_x + column(k) * width_);
    }
  }

  Index vocabulary_, height_, width_;
};

}  // namespace mellow::language::detail
