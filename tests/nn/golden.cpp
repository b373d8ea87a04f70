// SPDX-License-Identifier: Apache-2.0
// Against PyTorch's numbers, made by tests/golden/make_nn.py.
#include "support/golden.hpp"

#include <mellow/nn/gelu.hpp>
#include <mellow/nn/layer_norm.hpp>
#include <mellow/nn/leaky_relu.hpp>
#include <mellow/nn/mlp.hpp>
#include <mellow/nn/optimizers.hpp>
#include <mellow/nn/sequential.hpp>
#include <mellow/nn/sigmoid.hpp>
#include <mellow/value/td_loss.hpp>

using namespace mellow;

using golden::expect_close, golden::parameters, golden::values;

namespace {

/// RMSProp that begins from ones, as in TensorFlow 1.
struct FromOnes {
  nn::RMSProp rmsprop;
  template <class Scalar>
  struct State {
    nn::RMSProp::State<Scalar> state;
    void reset(const nn::ParameterLayout& layout) {
      state.reset(layout);
      state.mean_square.setOnes();
    }
  };
  void validate() const { rmsprop.validate(); }
  template <class Scalar>
  void step(State<Scalar>& state, VectorRef<Scalar> theta, ConstVectorRef<Scalar> gradient) const {
    rmsprop.step<Scalar>(state.state, theta, gradient);
  }
};

/// Compares a network, the gradient of its loss, and 200 steps of optimisers on it with what the file holds.
/// `evaluate(output, d_output)` gives the loss and writes its gradient.
template <Network Net, class Evaluate>
class Comparison {
 public:
  using Scalar = typename Net::Scalar;

  Comparison(const tools::Safetensors& file, const Net& network, const Evaluate& evaluate, double tolerance)
      : file_(file), network_(network), evaluate_(evaluate), tolerance_(tolerance), start_(parameters(file, network)) {
    const Vector<Scalar> input = values<Scalar>(file, "input");
    input_ = input.reshaped(network.inputs(), input.size() / network.inputs());
    d_output_.resize(network.outputs(), input_.cols());
    d_input_.resize(network.inputs(), input_.cols());
    gradient_.resize(network.parameters());
    expect_close(network.forward(start_, input_, tape_), values<Scalar>(file, "output"), tolerance);
    CHECK(std::abs(differentiate(start_) - values<Scalar>(file, "loss")[0]) < tolerance);
    expect_close(gradient_, parameters(file, network, "gradient."), tolerance);
    expect_close(d_input_, values<Scalar>(file, "gradient.input"), tolerance);
  }

  /// `layout` says what decays.
  template <class Optimizer>
  void optimize(const std::string& name, const Optimizer& optimizer, const nn::ParameterLayout& layout) {
    CAPTURE(name);
    optimizer.validate();
    typename Optimizer::template State<Scalar> state;
    state.reset(layout);
    Vector<Scalar> theta = start_;
    for (int i = 0; i < 200; ++i) {
      differentiate(theta);
      optimizer.step(state, theta, gradient_);
    }
    expect_close(theta, parameters(file_, network_, name + "."), tolerance_);
    CHECK((theta - start_).cwiseAbs().maxCoeff() > 0.02);
  }

 private:
  Scalar differentiate(const Vector<Scalar>& theta) {
    const Scalar loss = evaluate_(network_.forward(theta, input_, tape_), d_output_);
    gradient_.setZero();
    MatrixRef<Scalar> to_input = d_input_;
    network_.backward(theta, tape_, d_output_, gradient_, &to_input);
    return loss;
  }

  const tools::Safetensors& file_;
  const Net& network_;
  const Evaluate& evaluate_;
  double tolerance_;
  typename Net::Tape tape_;
  Vector<Scalar> start_, gradient_;
  Matrix<Scalar> input_, d_output_, d_input_;
};

template <class Scalar, class Activation>
void compare_mlp(const std::string& name, const std::vector<Index>& widths, Activation activation, double tolerance) {
  CAPTURE(name, sizeof(Scalar));
  const tools::Safetensors file = golden::load(name);
  const nn::Mlp<Scalar, Activation> network(widths, activation);
  const Vector<Scalar> targets = values<Scalar>(file, "targets");
  const Vector<Index> actions = values<double>(file, "actions").template cast<Index>();
  const Vector<Scalar> weights = Vector<Scalar>::Ones(targets.size());
  Vector<Scalar> errors(targets.size());
  const auto evaluate = [&](const ConstMatrixRef<Scalar>& output, Matrix<Scalar>& d_output) {
    return value::td_loss<Scalar>(value::TdLoss::huber(), output, actions, targets, weights, d_output, errors);
  };
  Comparison comparison(file, network, evaluate, tolerance);
  comparison.optimize("sgd", nn::Sgd{.learning_rate = 0.01}, network);
  comparison.optimize("adam", nn::Adam{.learning_rate = 0.001}, network);
}

template <class Scalar>
void compare_sequential(double tolerance) {
  CAPTURE(sizeof(Scalar));
  const tools::Safetensors file = golden::load("sequential");
  const nn::Sequential network(nn::Dense<Scalar>(4, 12), nn::LayerNorm<Scalar>(12), nn::SiLU{},
                               nn::Dense<Scalar>(12, 8), nn::GELU{}, nn::LayerNorm<Scalar>(8), nn::Dense<Scalar>(8, 3),
                               nn::Softplus{});
  const Matrix<Scalar> targets = values<Scalar>(file, "targets").reshaped(3, 8);
  const auto evaluate = [&](const ConstMatrixRef<Scalar>& output, Matrix<Scalar>& d_output) {
    d_output = (output - targets) * (Scalar(2) / static_cast<Scalar>(targets.size()));
    return (output - targets).squaredNorm() / static_cast<Scalar>(targets.size());
  };
  Comparison comparison(file, network, evaluate, tolerance);
  const auto optimize = [&](const std::string& name, const auto& optimizer) {
    comparison.optimize(name, optimizer, network);
  };
  const Index all = network.parameters();  // without segments everything decays, as in PyTorch
  using enum nn::Sgd::Momentum;
  using enum nn::RMSProp::Square;
  using enum nn::RMSProp::Epsilon;
  optimize("sgd", nn::Sgd{.learning_rate = 0.01});
  optimize("sgd_momentum", nn::Sgd{.learning_rate = 0.002, .momentum = 0.9});
  comparison.optimize("sgd_dampening",
                      nn::Sgd{.learning_rate = 0.01, .momentum = 0.8, .dampening = 0.3, .weight_decay = 0.01}, all);
  optimize("sgd_nesterov", nn::Sgd{.learning_rate = 0.002, .momentum = 0.9, .weight_decay = 0.02, .form = Nesterov});
  optimize("adam", nn::Adam{.learning_rate = 0.001});
  comparison.optimize("adamw_all", nn::AdamW{.learning_rate = 0.001, .weight_decay = 0.1}, all);
  optimize("adamw", nn::AdamW{.learning_rate = 0.001, .weight_decay = 0.1});
  optimize("radam", nn::RAdam{.learning_rate = 0.005});
  optimize("rmsprop", nn::RMSProp{.learning_rate = 0.0002, .epsilon = 1e-2});
  optimize("rmsprop_centred", nn::RMSProp{.learning_rate = 0.0001, .decay = 0.95, .epsilon = 1e-2, .square = Centred});
  optimize("rmsprop_momentum",
           nn::RMSProp{.learning_rate = 0.0001, .epsilon = 1e-2, .momentum = 0.9, .square = Centred});
  optimize("adagrad", nn::Adagrad{.learning_rate = 0.01});
  optimize("rmsprop_tensorflow",
           FromOnes{{.learning_rate = 0.001, .decay = 0.9, .epsilon = 1e-3, .epsilon_place = InsideRoot}});
  optimize("rmsprop_tensorflow_centred", FromOnes{{.learning_rate = 0.001,
                                                   .decay = 0.95,
                                                   .epsilon = 0.01,
                                                   .momentum = 0.5,
                                                   .square = Centred,
                                                   .epsilon_place = InsideRoot}});
}

template <class Scalar, class F>
void compare_activation(const std::string& name, const F& f, double tolerance) {
  CAPTURE(name, sizeof(Scalar));
  static const tools::Safetensors file = golden::load("activations");
  using Array = Eigen::Array<Scalar, Eigen::Dynamic, 1>;
  const Array x = values<Scalar>(file, "x"), y = f.value(x);
  Array derivative = Array::Ones(x.size());
  f.multiply_by_derivative(F::keeps_input ? x : y, derivative);
  const Array expected = values<Scalar>(file, name + ".value");
  CHECK(((y - expected).abs() / expected.abs().max(Scalar(1))).maxCoeff() < tolerance);
  expect_close(derivative.matrix(), values<Scalar>(file, name + ".derivative"), tolerance);
}

}  // namespace

TEST_CASE("Outputs, Huber loss, gradients and 200 steps of SGD and Adam are PyTorch's") {
  const auto compare_both = [](const std::string& name, const std::vector<Index>& widths, auto activation) {
    compare_mlp<double>(name, widths, activation, 1e-12);
    compare_mlp<float>(name, widths, activation, 1e-5);
  };
  compare_both("mlp_relu_shallow", {4, 16, 2}, nn::ReLU{});
  compare_both("mlp_relu_deep", {5, 24, 20, 3}, nn::ReLU{});
  compare_both("mlp_tanh", {6, 20, 24, 4}, nn::Tanh{});
}

TEST_CASE("A composition's outputs and gradients and 200 steps of every optimiser are PyTorch's, in double") {
  compare_sequential<double>(1e-12);
}

TEST_CASE("A composition's outputs and gradients and 200 steps of every optimiser are PyTorch's, in float") {
  compare_sequential<float>(1e-5);
}

TEST_CASE("Activations and their derivatives are PyTorch's") {
  const auto compare_both = [](const std::string& name, auto f) {
    compare_activation<double>(name, f, 1e-12);
    compare_activation<float>(name, f, 1e-5);
  };
  compare_both("identity", nn::Identity{});
  compare_both("relu", nn::ReLU{});
  compare_both("leaky_relu", nn::LeakyReLU{.slope = 0.2});
  compare_both("tanh", nn::Tanh{});
  compare_both("sigmoid", nn::Sigmoid{});
  compare_both("softplus", nn::Softplus{});
  compare_both("silu", nn::SiLU{});
  compare_both("gelu", nn::GELU{});
  compare_both("gelu_tanh", nn::GELUTanh{});
}
