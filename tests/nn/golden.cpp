// SPDX-License-Identifier: Apache-2.0
// Against PyTorch's numbers, made by tests/golden/make_mlp.py.
#include <mellow/nn/mlp.hpp>
#include <mellow/nn/optimizers.hpp>
#include <mellow/tools/weights.hpp>
#include <mellow/value/td_loss.hpp>

#include "support/catch.hpp"
#include "support/python.hpp"
#include "support/temporary_directory.hpp"

using namespace mellow;

namespace {

const std::filesystem::path golden = MELLOW_SOURCE_DIR "/tests/golden";

/// A tensor's values, in the file's row-major order: batch x features there is features x batch here.
template <class Scalar>
Vector<Scalar> values(const tools::Safetensors& file, const std::string& name) {
  const auto& stored = std::get<std::vector<double>>(file.at(name).values);
  return Eigen::Map<const Vector<double>>(stored.data(), static_cast<Index>(stored.size())).template cast<Scalar>();
}

/// The parameters, or what belongs to each of them, as one vector: the tensors `prefix` + name of segment.
template <Network Net>
auto parameters(const tools::Safetensors& file, const Net& network, const std::string& prefix = "") {
  using Scalar = typename Net::Scalar;
  Vector<Scalar> theta(network.parameters());
  for (const Segment& segment : network.segments())
    theta.segment(segment.offset, segment.size()) = values<Scalar>(file, prefix + segment.name);
  return theta;
}

template <class Scalar, class Activation>
void compare(const std::string& name, const std::vector<Index>& widths, Activation activation, double tolerance) {
  CAPTURE(name, sizeof(Scalar));
  const tools::Safetensors file = tools::load_safetensors(golden / (name + ".safetensors"));
  const nn::Mlp<Scalar, Activation> network(widths, activation);
  const Vector<Scalar> start = parameters(file, network);
  const Vector<Scalar> targets = values<Scalar>(file, "targets");
  const Vector<Index> actions = values<double>(file, "actions").template cast<Index>();
  const Index batch = targets.size();
  const Matrix<Scalar> input = values<Scalar>(file, "input").reshaped(network.inputs(), batch);
  const Vector<Scalar> weights = Vector<Scalar>::Ones(batch);

  typename nn::Mlp<Scalar, Activation>::Tape tape;
  Matrix<Scalar> d_output(network.outputs(), batch), d_input(network.inputs(), batch);
  Vector<Scalar> errors(batch), gradient(network.parameters());
  const auto expect_close = [&](const auto& ours, const Vector<Scalar>& theirs) {
    REQUIRE(ours.size() == theirs.size());
    CHECK((ours.reshaped() - theirs).cwiseAbs().maxCoeff() < tolerance);
  };
  const auto differentiate = [&](const Vector<Scalar>& theta) {
    const auto output = network.forward(theta, input, tape);
    const Scalar loss =
        value::td_loss<Scalar>(value::TdLoss::huber(), output, actions, targets, weights, d_output, errors);
    gradient.setZero();
    MatrixRef<Scalar> to_input = d_input;
    network.backward(theta, tape, d_output, gradient, &to_input);
    return loss;
  };

  expect_close(network.forward(start, input, tape), values<Scalar>(file, "output"));
  CHECK(std::abs(differentiate(start) - values<Scalar>(file, "loss")[0]) < tolerance);
  expect_close(gradient, parameters(file, network, "gradient."));
  expect_close(d_input, values<Scalar>(file, "gradient.input"));

  const auto after_200_steps = [&](const auto& optimizer) {
    typename std::remove_cvref_t<decltype(optimizer)>::template State<Scalar> state;
    state.reset(network.parameters());
    Vector<Scalar> theta = start;
    for (int i = 0; i < 200; ++i) {
      differentiate(theta);
      optimizer.step(state, theta, gradient);
    }
    return theta;
  };
  expect_close(after_200_steps(nn::Sgd{.learning_rate = 0.01}), parameters(file, network, "sgd."));
  expect_close(after_200_steps(nn::Adam{.learning_rate = 0.001}), parameters(file, network, "adam."));
}

}  // namespace

TEST_CASE("Outputs, Huber loss, gradients and 200 steps of SGD and Adam are PyTorch's") {
  const auto compare_both = [](const std::string& name, const std::vector<Index>& widths, auto activation) {
    compare<double>(name, widths, activation, 1e-12);
    compare<float>(name, widths, activation, 1e-5);
  };
  compare_both("mlp_relu_shallow", {4, 16, 2}, nn::ReLU{});
  compare_both("mlp_relu_deep", {5, 24, 20, 3}, nn::ReLU{});
  compare_both("mlp_tanh", {6, 20, 24, 4}, nn::Tanh{});
}

TEST_CASE("PyTorch loads an Mlp's weights as a state_dict and computes the same") {
  const std::string python = python_with("torch, safetensors");
  if (python.empty()) return;
  const TemporaryDirectory directory;
  const auto weights = directory / "weights.safetensors", data = directory / "data.safetensors";
  const nn::Mlp network({4, 16, 12, 2});
  const Vector<float> theta = Vector<float>::Random(network.parameters());
  const Matrix<float> input = Matrix<float>::Random(4, 7);
  nn::Mlp<float>::Tape tape;
  const auto output = network.forward(theta, input, tape);
  tools::save_weights(weights, network, theta);
  const auto span = [](const auto& matrix) {
    return std::span(matrix.data(), static_cast<std::size_t>(matrix.size()));
  };
  tools::save_safetensors(data, {{"input", {7, 4}, span(input)}, {"output", {7, 2}, span(output)}});
  const auto script = (golden / "load_mlp.py").string();
  CHECK(std::system((python + " '" + script + "' " + weights.string() + " " + data.string() + " 4 16 12 2").c_str()) ==
        0);
}
