// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cassert>
#include <cmath>
#include <vector>

#include <mellow/core/buffer.hpp>
#include <mellow/core/error.hpp>
#include <mellow/core/network.hpp>
#include <mellow/core/rng.hpp>
#include <mellow/core/types.hpp>
#include <mellow/nn/linear.hpp>

namespace mellow::nn {

/// A dense layer whose weights and biases are drawn anew, NoisyNet with factorised noise (Fortunato et al. 2018, eq. 9 to
/// 11), for `Sequential` and `Dueling`:
///
///     y = (M + S o f(e_out) f(e_in)') x + m + s o f(e_out),     f(e) = sign(e) sqrt|e|,     e standard normal
///
/// where M, S, m, s are the parameters "weight_mu", "weight_sigma", "bias_mu", "bias_sigma". The initialiser fills M and
/// m (the paper's is `PyTorchDefault`); every S and s begins as `initial_deviation` / sqrt(inputs).
///
/// The noise lives in the tape: `draw_noise` draws it for the passes that follow, the same for all samples of a batch,
/// and `silence` takes it away, so that M and m act alone; a new tape is silent. An agent draws for every pass of
/// learning and acting, and is silent where it is evaluated: `Dqn` does.
template <class Scalar_ = float>
class NoisyDense {
 public:
  using Scalar = Scalar_;                           ///< of parameters and values
  using Output = Eigen::Map<const Matrix<Scalar>>;  ///< what `forward` gives: a view

  /// The noise, and what a backward pass needs: the input (seen, not copied).
  class Tape {
   public:
    /// f(e_in) (inputs) and f(e_out) (outputs), of the passes that follow; empty ones are silent. Throws Error where one
    /// alone is empty.
    void set_noise(const ConstVectorRef<Scalar>& of_inputs, const ConstVectorRef<Scalar>& of_outputs) {
      require((of_inputs.size() == 0) == (of_outputs.size() == 0), "nn::NoisyDense", "noise needs both its factors",
              of_inputs.size());
      noise_in_ = of_inputs;
      noise_out_ = of_outputs;
      noisy_ = of_inputs.size() > 0;
    }

   private:
    friend class NoisyDense;
    bool noisy_ = false;
    Vector<Scalar> noise_in_, noise_out_;
    const Scalar* input_ = nullptr;
    const Scalar* drawn_ = nullptr;  // what acted: weights, then biases
    Index batch_ = 0;
    Buffer<Scalar> sums_, gradient_, value_, input_copy_, d_output_copy_;
  };

  /// Throws Error for a width that is not positive or a deviation that is negative or not finite.
  NoisyDense(Index inputs, Index outputs, double initial_deviation = 0.5)
      : linear_{inputs, outputs}, initial_deviation_(initial_deviation) {
    require(inputs > 0, "nn::NoisyDense", "the width of the input must be positive", inputs);
    require(outputs > 0, "nn::NoisyDense", "the width of the output must be positive", outputs);
    require(std::isfinite(initial_deviation) && initial_deviation >= 0, "nn::NoisyDense",
            "the initial deviation must not be negative", initial_deviation);
  }

  Index inputs() const { return linear_.in; }                    ///< width of the input
  Index outputs() const { return linear_.out; }                  ///< width of the output
  Index parameters() const { return 2 * linear_.parameters(); }  ///< length of theta

  /// The named pieces of theta: all means, then all deviations.
  std::vector<Segment> segments() const {
    using enum Segment::Kind;
    const Index in = linear_.in, out = linear_.out, means = linear_.parameters();
    const double begin = initial_deviation_ / std::sqrt(static_cast<double>(in));
    return {{"weight_mu", {out, in}, 0, in, Weight},
            {"bias_mu", {out}, out * in, in, Bias},
            {"weight_sigma", {out, in}, means, in, Deviation, begin},
            {"bias_sigma", {out}, means + out * in, in, Deviation, begin}};
  }

  /// Draws the noise of the passes that follow.
  void draw_noise(Tape& tape, Rng& rng) const {
    const auto draw = [&](Vector<Scalar>& noise, Index size) {
      noise.resize(size);
      for (Scalar& x : noise) {
        const double e = rng.normal();
        x = static_cast<Scalar>(std::copysign(std::sqrt(std::abs(e)), e));
      }
    };
    draw(tape.noise_in_, linear_.in);
    draw(tape.noise_out_, linear_.out);
    tape.noisy_ = true;
  }

  /// Lets the means act alone in the passes that follow.
  void silence(Tape& tape) const { tape.noisy_ = false; }

  /// inputs x batch -> outputs x batch. The view lives in the tape until its next forward pass. A matrix, or a block of
  /// one, is not copied and must stay as it is until the backward pass; any other expression is.
  template <class Input>
  Output forward(const ConstVectorRef<Scalar>& theta, Input&& input, Tape& tape) const {
    assert(theta.size() == parameters() && input.rows() == inputs());
    tape.input_ = contiguous(std::forward<Input>(input), tape.input_copy_);
    tape.batch_ = input.cols();
    tape.drawn_ = theta.data();
    if (tape.noisy_) {
      assert(tape.noise_in_.size() == inputs() && tape.noise_out_.size() == outputs());
      Scalar* const sums = tape.sums_.reshape(linear_.parameters(), 1).data();
      const Scalar *const mean = theta.data(), *const deviation = mean + linear_.parameters();
      for_noise(tape, [&](Index at, Index size, Scalar out, const auto& in) {
        Eigen::Map<Vector<Scalar>>(sums + at, size) =
            ConstMap(mean + at, size) + out * ConstMap(deviation + at, size).cwiseProduct(in);
      });
      tape.drawn_ = sums;
    }
    auto value = tape.value_.reshape(linear_.out, tape.batch_);
    linear_.set(tape.drawn_, tape.input_, tape.batch_, value.data());
    return {value.data(), linear_.out, tape.batch_};
  }

  /// Adds d loss / d theta into `gradient`; with `d_input` (inputs x batch) given, writes d loss / d input there.
  void backward(const ConstVectorRef<Scalar>& theta, Tape& tape, const ConstMatrixRef<Scalar>& d_output,
                VectorRef<Scalar> gradient, MatrixRef<Scalar>* d_input = nullptr) const {
    assert(tape.input_ != nullptr && theta.size() == parameters() && d_output.rows() == outputs() &&
           d_output.cols() == tape.batch_ && gradient.size() == parameters());
    const Index means = linear_.parameters();
    const Scalar* const delta = contiguous(d_output, tape.d_output_copy_);
    if (tape.noisy_) {
      auto drawn = tape.gradient_.reshape(means, 1);  // in the weights and biases that acted
      drawn.setZero();
      linear_.add_gradient(tape.input_, delta, tape.batch_, drawn.data());
      gradient.head(means) += drawn.col(0);
      for_noise(tape, [&](Index at, Index size, Scalar out, const auto& in) {
        gradient.segment(means + at, size) += out * drawn.col(0).segment(at, size).cwiseProduct(in);
      });
    } else {
      linear_.add_gradient(tape.input_, delta, tape.batch_, gradient.data());
    }
    if (d_input != nullptr)
      linear_.input_gradient(tape.noisy_ ? tape.drawn_ : theta.data(), delta, tape.batch_, d_input->data(),
                             d_input->outerStride());
  }

 private:
  using ConstMap = Eigen::Map<const Vector<Scalar>>;

  /// Calls body(place, size, factor, factors) for pieces of weights and biases whose noise is factor times factors.
  template <class Body>
  void for_noise(const Tape& tape, const Body& body) const {
    const Index in = linear_.in, out = linear_.out;
    for (Index unit = 0; unit < out; ++unit) body(unit * in, in, tape.noise_out_[unit], tape.noise_in_);
    body(out * in, out, Scalar(1), tape.noise_out_);
  }

  detail::Linear linear_;
  double initial_deviation_;
};

}  // namespace mellow::nn
