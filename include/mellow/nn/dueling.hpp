// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cassert>
#include <string>
#include <utility>
#include <vector>

#include <mellow/core/buffer.hpp>
#include <mellow/core/error.hpp>
#include <mellow/core/network.hpp>
#include <mellow/core/rng.hpp>
#include <mellow/core/types.hpp>
#include <mellow/nn/sequential.hpp>

namespace mellow::nn {

/// Two networks on one input whose outputs make action values, the dueling architecture (Wang et al. 2016, eq. 9):
///
///     Q(s, a) = V(s) + A(s, a) - 1/actions sum_b A(s, b)
///
///     nn::Sequential network(nn::Mlp{{4, 64}}, nn::ReLU{}, nn::Dueling(nn::Mlp{{64, 64, 1}}, nn::Mlp{{64, 64, 2}}));
///
/// The value network has one output, or one an atom or quantile of a distribution; the advantage network as many for
/// every action, an action's side by side. The outputs are those of a network without streams, so that every head takes
/// them. Parameters are named as in a PyTorch module with members `value` and `advantage`: "value.0.weight", ... Choose
/// it where most states have actions of like value.
template <NetworkLayer Value, NetworkLayer Advantage>
class Dueling {
  static_assert(std::same_as<typename Value::Scalar, typename Advantage::Scalar>,
                "mellow: the two networks given to nn::Dueling differ in their Scalar");

 public:
  using Scalar = typename Value::Scalar;            ///< of parameters and values
  using Output = Eigen::Map<const Matrix<Scalar>>;  ///< what `forward` gives: a view

  /// What a backward pass needs: what both networks keep.
  class Tape {
    friend class Dueling;
    const Scalar* input_ = nullptr;
    Index batch_ = 0;
    typename Value::Tape value_;
    typename Advantage::Tape advantage_;
    Buffer<Scalar> output_, d_value_, d_advantage_, d_input_, input_copy_;
  };

  /// Throws Error where the networks take inputs of different widths, or the outputs of one are no multiple of the
  /// other's.
  Dueling(Value value, Advantage advantage) : value_(std::move(value)), advantage_(std::move(advantage)) {
    require(advantage_.inputs() == value_.inputs(), "nn::Dueling",
            fmt::format("the advantage network must take {} inputs as the value network does", value_.inputs()),
            advantage_.inputs());
    require(advantage_.outputs() % value_.outputs() == 0, "nn::Dueling",
            fmt::format("the advantage network needs a multiple of the value network's {} outputs", value_.outputs()),
            advantage_.outputs());
  }

  Index inputs() const { return value_.inputs(); }                                    ///< width of the input
  Index outputs() const { return advantage_.outputs(); }                              ///< width of the output
  Index parameters() const { return value_.parameters() + advantage_.parameters(); }  ///< length of theta
  const Value& value() const { return value_; }                                       ///< the value network
  const Advantage& advantage() const { return advantage_; }                           ///< the advantage network

  /// The named pieces of theta: those of the value network, then those of the advantage network.
  std::vector<Segment> segments() const {
    std::vector<Segment> all;
    const auto append = [&](const std::string& prefix, const auto& network, Index offset) {
      for (Segment segment : network.segments()) {
        segment.name = prefix + segment.name;
        segment.offset += offset;
        all.push_back(std::move(segment));
      }
    };
    append("value.", value_, 0);
    append("advantage.", advantage_, value_.parameters());
    return all;
  }

  /// Draws the noise of the passes that follow, where a stream has any.
  void draw_noise(Tape& tape, Rng& rng) const
    requires(NoisyNetwork<Value> || NoisyNetwork<Advantage>)
  {
    if constexpr (NoisyNetwork<Value>) value_.draw_noise(tape.value_, rng);
    if constexpr (NoisyNetwork<Advantage>) advantage_.draw_noise(tape.advantage_, rng);
  }
  /// Takes the noise away from the passes that follow.
  void silence(Tape& tape) const
    requires(NoisyNetwork<Value> || NoisyNetwork<Advantage>)
  {
    if constexpr (NoisyNetwork<Value>) value_.silence(tape.value_);
    if constexpr (NoisyNetwork<Advantage>) advantage_.silence(tape.advantage_);
  }

  /// inputs x batch -> outputs x batch. The view lives in the tape until its next forward pass. A matrix, or a block of
  /// one, is not copied and must stay as it is until the backward pass; any other expression is.
  template <class Input>
  Output forward(const ConstVectorRef<Scalar>& theta, Input&& input, Tape& tape) const {
    assert(theta.size() == parameters() && input.rows() == inputs());
    tape.batch_ = input.cols();
    tape.input_ = contiguous(std::forward<Input>(input), tape.input_copy_);
    const Eigen::Map<const Matrix<Scalar>> x(tape.input_, inputs(), tape.batch_);
    const auto& v = value_.forward(theta.head(value_.parameters()), x, tape.value_);
    const auto& a = advantage_.forward(theta.tail(advantage_.parameters()), x, tape.advantage_);
    auto q = tape.output_.reshape(outputs(), tape.batch_);
    const Scalar share = Scalar(1) / static_cast<Scalar>(actions());
    for (Index i = 0; i < tape.batch_; ++i) {
      const auto shared = q.col(i).head(atoms());  // v - mean a; overwritten last
      auto level = q.col(i).head(atoms());
      level = a.col(i).head(atoms());
      for (Index action = 1; action < actions(); ++action) level += a.col(i).segment(action * atoms(), atoms());
      level = v.col(i) - share * level;
      for (Index action = actions() - 1; action >= 0; --action)
        q.col(i).segment(action * atoms(), atoms()) = shared + a.col(i).segment(action * atoms(), atoms());
    }
    return {q.data(), outputs(), tape.batch_};
  }

  /// Adds d loss / d theta into `gradient`; with `d_input` (inputs x batch) given, writes d loss / d input there.
  void backward(const ConstVectorRef<Scalar>& theta, Tape& tape, const ConstMatrixRef<Scalar>& d_output,
                VectorRef<Scalar> gradient, MatrixRef<Scalar>* d_input = nullptr) const {
    assert(d_output.rows() == outputs() && d_output.cols() == tape.batch_ && gradient.size() == parameters());
    auto d_v = tape.d_value_.reshape(atoms(), tape.batch_), d_a = tape.d_advantage_.reshape(outputs(), tape.batch_);
    const Scalar share = Scalar(1) / static_cast<Scalar>(actions());
    for (Index i = 0; i < tape.batch_; ++i) {
      auto sum = d_v.col(i);
      sum.setZero();
      for (Index action = 0; action < actions(); ++action) sum += d_output.col(i).segment(action * atoms(), atoms());
      for (Index action = 0; action < actions(); ++action)
        d_a.col(i).segment(action * atoms(), atoms()) =
            d_output.col(i).segment(action * atoms(), atoms()) - share * sum;
    }
    value_.backward(theta.head(value_.parameters()), tape.value_, d_v, gradient.head(value_.parameters()), d_input);
    if (d_input == nullptr) {
      advantage_.backward(theta.tail(advantage_.parameters()), tape.advantage_, d_a,
                          gradient.tail(advantage_.parameters()));
      return;
    }
    MatrixRef<Scalar> d_x = tape.d_input_.reshape(inputs(), tape.batch_);
    advantage_.backward(theta.tail(advantage_.parameters()), tape.advantage_, d_a,
                        gradient.tail(advantage_.parameters()), &d_x);
    *d_input += d_x;
  }

 private:
  Index atoms() const { return value_.outputs(); }
  Index actions() const { return advantage_.outputs() / atoms(); }

  Value value_;
  Advantage advantage_;
};

}  // namespace mellow::nn
