// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include <mellow/core/buffer.hpp>
#include <mellow/core/network.hpp>
#include <mellow/core/types.hpp>
#include <mellow/nn/activation.hpp>
#include <mellow/nn/linear.hpp>

namespace mellow::language {

/// What the feed-forward part of a block keeps for its backward pass, of some columns.
template <class Scalar>
struct FeedForwardTape {
  Buffer<Scalar> slopes;  ///< derivatives of `values` by the sums that they are made of
  Buffer<Scalar> values;  ///< hidden x columns
};

namespace detail {
/// The names of a feed-forward part's tensors.
struct FeedForwardNames {
  std::string gate, up, down;
};
}  // namespace detail

/// y += W_2 f(W_1 x + b_1) + b_2 with an activation f that offers `evaluate` (Vaswani et al. 2017).
template <class Activation>
class FeedForward {
 public:
  /// `hidden` 0: four times the width.
  FeedForward(Index width, Index hidden, bool has_bias)
      : up_{width, hidden == 0 ? 4 * width : hidden, has_bias}, down_{up_.out, width, has_bias} {}

  Index parameters() const { return up_.parameters() + down_.parameters(); }  ///< of both layers

  /// Makes room for so many columns.
  template <class Scalar>
  void resize(FeedForwardTape<Scalar>& tape, Index columns) const {
    tape.slopes.reshape(up_.out, columns);
    tape.values.reshape(up_.out, columns);
  }

  /// Appends the segments, which begin at `offset`; returns where they end.
  Index append_segments(const detail::FeedForwardNames& names, Index offset, std::vector<Segment>& segments) const {
    up_.append_segments(names.up + ".", offset, segments);
    return down_.append_segments(names.down + ".", offset + up_.parameters(), segments);
  }

  /// Adds to y, width x n, and keeps these columns in the tape as `begin` and later, what the backward pass
  /// needs among them where asked to.
  template <bool keeps_slopes, class Scalar>
  void forward(const Scalar* parameters, const Scalar* x, Index begin, Index n, FeedForwardTape<Scalar>& tape,
               Scalar* y) const {
    using Array = Eigen::Map<Eigen::Array<Scalar, Eigen::Dynamic, 1>>;
    Array sums(tape.slopes.data() + begin * up_.out, up_.out * n);
    Array values(tape.values.data() + begin * up_.out, up_.out * n);
    up_.set(parameters, x, n, sums.data());
    if constexpr (keeps_slopes) Activation{}.evaluate(sums, values, sums);
    else values = Activation{}.value(sums);
    down_.add(parameters + up_.parameters(), values.data(), n, y);
  }

  /// Adds to the parameters' gradient; writes d x.
  template <class Scalar>
  void backward(const Scalar* parameters, const Scalar* x, const Scalar* d_y, Index begin, Index n,
                FeedForwardTape<Scalar>& tape, Buffer<Scalar>& workspace, Scalar* gradient, Scalar* d_x) const {
    auto d_sums = workspace.reshape(up_.out, n);
    down_.add_gradient(tape.values.data() + begin * up_.out, d_y, n, gradient + up_.parameters());
    down_.input_gradient(parameters + up_.parameters(), d_y, n, d_sums.data(), up_.out);
    d_sums.array() *= Eigen::Map<const Matrix<Scalar>>(tape.slopes.data() + begin * up_.out, up_.out, n).array();
    up_.add_gradient(x, d_sums.data(), n, gradient);
    up_.input_gradient(parameters, d_sums.data(), n, d_x, up_.in);
  }

 private:
  nn::detail::Linear up_, down_;
};

/// y += W_2 (f(W_g x + b_g) * (W_u x + b_u)) + b_2: what f makes of one sum opens the gate for another (Shazeer 2020;
/// with SiLU: SwiGLU).
template <class Activation>
class GatedFeedForward {
 public:
  /// `hidden` 0: 8/3 of the width, which makes it as large as the plain form, up to the next multiple of 16.
  GatedFeedForward(Index width, Index hidden, bool has_bias)
      : hidden_(hidden == 0 ? (8 * width / 3 + 15) / 16 * 16 : hidden),
        both_{width, 2 * hidden_, has_bias},
        down_{hidden_, width, has_bias} {}

  Index parameters() const { return both_.parameters() + down_.parameters(); }  ///< of all three layers

  /// Makes room for so many columns.
  template <class Scalar>
  void resize(FeedForwardTape<Scalar>& tape, Index columns) const {
    tape.slopes.reshape(both_.out, columns);
    tape.values.reshape(hidden_, columns);
  }

  /// Appends the segments, which begin at `offset`; returns where they end. Both weights come first, then both biases.
  Index append_segments(const detail::FeedForwardNames& names, Index offset, std::vector<Segment>& segments) const {
    const Index width = both_.in, biases = offset + both_.out * width;
    segments.push_back({names.gate + ".weight", {hidden_, width}, offset, width, Segment::Kind::Weight});
    segments.push_back(
        {names.up + ".weight", {hidden_, width}, offset + hidden_ * width, width, Segment::Kind::Weight});
    if (both_.has_bias) {
      segments.push_back({names.gate + ".bias", {hidden_}, biases, width, Segment::Kind::Bias});
      segments.push_back({names.up + ".bias", {hidden_}, biases + hidden_, width, Segment::Kind::Bias});
    }
    return down_.append_segments(names.down + ".", offset + both_.parameters(), segments);
  }

  /// Adds to y, width x n, and keeps these columns in the tape as `begin` and later, what the backward pass
  /// needs among them where asked to.
  template <bool keeps_slopes, class Scalar>
  void forward(const Scalar* parameters, const Scalar* x, Index begin, Index n, FeedForwardTape<Scalar>& tape,
               Scalar* y) const {
    Eigen::Map<Matrix<Scalar>> sums(tape.slopes.data() + begin * both_.out, both_.out, n);
    Eigen::Map<Matrix<Scalar>> values(tape.values.data() + begin * hidden_, hidden_, n);
    both_.set(parameters, x, n, sums.data());
    for (Index i = 0; i < n; ++i) {  // the sums become the derivatives of value = f(gate) up by gate and up
      auto gate = sums.col(i).head(hidden_).array(), up = sums.col(i).tail(hidden_).array();
      auto value = values.col(i).array();
      if constexpr (!keeps_slopes) {
        value = Activation{}.value(gate) * up;
        continue;
      }
      Activation{}.evaluate(gate, value, gate);
      gate *= up;
      value.swap(up);
      value *= up;
    }
    down_.add(parameters + both_.parameters(), values.data(), n, y);
  }

  /// Adds to the parameters' gradient; writes d x.
  template <class Scalar>
  void backward(const Scalar* parameters, const Scalar* x, const Scalar* d_y, Index begin, Index n,
                FeedForwardTape<Scalar>& tape, Buffer<Scalar>& workspace, Scalar* gradient, Scalar* d_x) const {
    const Eigen::Map<const Matrix<Scalar>> slopes(tape.slopes.data() + begin * both_.out, both_.out, n);
    auto all = workspace.reshape(both_.out + hidden_, n);
    const typename Buffer<Scalar>::View d_values(all.data(), hidden_, n);
    Eigen::Map<Matrix<Scalar>> d_sums(all.data() + hidden_ * n, both_.out, n);
    down_.add_gradient(tape.values.data() + begin * hidden_, d_y, n, gradient + both_.parameters());
    down_.input_gradient(parameters + both_.parameters(), d_y, n, all.data(), hidden_);
    d_sums.topRows(hidden_).array() = slopes.topRows(hidden_).array() * d_values.array();
    d_sums.bottomRows(hidden_).array() = slopes.bottomRows(hidden_).array() * d_values.array();
    both_.add_gradient(x, d_sums.data(), n, gradient);
    both_.input_gradient(parameters, d_sums.data(), n, d_x, both_.in);
  }

 private:
  Index hidden_;
  nn::detail::Linear both_, down_;
};

}  // namespace mellow::language
