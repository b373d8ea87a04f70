// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>

#include <mellow/core/buffer.hpp>
#include <mellow/core/types.hpp>
#include <mellow/language/reading.hpp>
#include <mellow/language/softmax_head.hpp>
#include <mellow/language/transformer_options.hpp>
#include <mellow/language/transformer_shapes.hpp>

namespace mellow::language::detail {

/// How a transformer foretells tokens from the columns that its blocks leave: log softmax(W norm(h)).
template <class Scalar, class Shape>
class ReadOut {
  using Head = SoftmaxHead<Scalar>;

 public:
  using View = typename Head::View;

  /// Where its parameters are, or where the derivatives by them go.
  template <class Number>
  struct Parameters {
    Number *norm, *head;
  };

  /// What the backward passes need.
  struct Tape {
    Buffer<Scalar> columns, weights, d_normalized, d_columns;
    NormTape<Scalar> norm;
    typename Head::Tape head;
  };

  explicit ReadOut(const TransformerOptions& options)
      : width_(options.width), norm_{options.width, options.norm_epsilon}, head_(options.vocabulary, options.width) {}

  const typename Shape::Norm& norm() const { return norm_; }

  /// Of the scored columns of `stream`.
  View forward(Parameters<const Scalar> theta, const Reading& reading, const Scalar* stream, Tape& tape) const {
    const Index n = reading.scored_columns();
    Scalar* const columns = tape.columns.reshape(width_, n).data();
    for (std::size_t i = 0; i < reading.scored.size(); ++i)
      std::copy_n(stream + reading.scored[i] * width_, width_, columns + static_cast<Index>(i) * width_);
    tape.norm.resize(width_, n);
    head_.forward(theta.head, norm_.forward(theta.norm, columns, 0, n, tape.norm), n, tape.head);
    return log_probabilities(tape, n);
  }

  /// What `forward` kept of n columns.
  View log_probabilities(Tape& tape, Index n) const { return head_.log_probabilities(tape.head, n); }

  /// Of n columns, what is not yet normalised; the view lives in `logits`.
  View logits(Parameters<const Scalar> theta, const Scalar* columns, Index n, NormTape<Scalar>& norm,
              Buffer<Scalar>& logits) const {
    norm.resize(width_, n);
    return head_.view(head_.logits(theta.head, norm_.forward(theta.norm, columns, 0, n, norm), n, logits), n);
  }

  /// Adds d (sum_t weights_t log p_t) / d parameters into `gradient` and writes that by the stream; a weight a packed
  /// token. Weights of 0 cost nothing at the head.
  void backward(Parameters<const Scalar> theta, const Reading& reading, const ConstVectorRef<Scalar>& weights,
                Tape& tape, Parameters<Scalar> gradient, typename Buffer<Scalar>::View d_stream) const {
    const Index n = reading.scored_columns();
    auto of_scored = tape.weights.reshape(n, 1);
    for (Index i = 0; i < n; ++i) of_scored(i) = weights[reading.places[static_cast<std::size_t>(i)]];
    head_.backward(theta.head, tape.norm.value.data(), n, reading.targets, of_scored.data(), tape.head, gradient.head,
                   zeros(tape.d_normalized, n));
    backward_below_head(theta, reading, tape, gradient, d_stream);
  }
  /// The same of a function whose derivatives by all log-probabilities are given.
  void backward_soft(Parameters<const Scalar> theta, const Reading& reading,
                     const ConstMatrixRef<Scalar>& d_log_probabilities, Tape& tape, Parameters<Scalar> gradient,
                     typename Buffer<Scalar>::View d_stream) const {
    const Index n = reading.scored_columns();
    head_.backward(theta.head, tape.norm.value.data(), n, d_log_probabilities, tape.head, gradient.head,
                   zeros(tape.d_normalized, n));
    backward_below_head(theta, reading, tape, gradient, d_stream);
  }

 private:
  Scalar* zeros(Buffer<Scalar>& buffer, Index n) const {
    auto columns = buffer.reshape(width_, n);
    columns.setZero();
    return columns.data();
  }

  void backward_below_head(Parameters<const Scalar> theta, const Reading& reading, Tape& tape,
                           Parameters<Scalar> gradient, typename Buffer<Scalar>::View d_stream) const {
    const Index n = reading.scored_columns();
    Scalar* const d_columns = zeros(tape.d_columns, n);
    norm_.backward(theta.norm, tape.d_normalized.data(), 0, n, tape.norm, gradient.norm, d_columns);
    d_stream.setZero();
    for (Index i = 0; i < n; ++i)
      std::copy_n(d_columns + i * width_, width_, d_stream.col(reading.scored[static_cast<std::size_t>(i)]).data());
  }

  Index width_;
  typename Shape::Norm norm_;
  Head head_;
};

}  // namespace mellow::language::detail
