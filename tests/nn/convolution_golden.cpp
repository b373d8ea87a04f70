// SPDX-License-Identifier: Apache-2.0
// Against PyTorch's numbers, made by tests/golden/make_convolution.py.
#include <mellow/nn/convolution.hpp>
#include <mellow/nn/flatten.hpp>
#include <mellow/nn/noisy.hpp>
#include <mellow/nn/sequential.hpp>

#include "support/golden.hpp"

using namespace mellow;

namespace {

/// Output and gradients of the mean squared output; `prepare(tape)` comes before the pass.
template <Network Net>
void compare(const std::string& name, const Net& network, double tolerance, const auto& prepare) {
  using Scalar = typename Net::Scalar;
  CAPTURE(name, sizeof(Scalar));
  const auto file = golden::load(name);
  const auto theta = golden::parameters(file, network);
  const auto input = golden::matrix<Scalar>(file, "input", network.inputs());
  typename Net::Tape tape;
  prepare(tape, file);
  const Matrix<Scalar> output = network.forward(theta, input, tape);
  golden::expect_close(output, golden::values<Scalar>(file, "output"), tolerance);
  const Matrix<Scalar> d_output = Scalar(2) / static_cast<Scalar>(output.size()) * output;
  Vector<Scalar> gradient = Vector<Scalar>::Zero(theta.size());
  Matrix<Scalar> d_input(input.rows(), input.cols());
  MatrixRef<Scalar> to_input = d_input;
  network.backward(theta, tape, d_output, gradient, &to_input);
  golden::expect_close(gradient, golden::parameters(file, network, "gradient."), tolerance);
  golden::expect_close(d_input, golden::values<Scalar>(file, "gradient.input"), tolerance);
}

template <class Scalar>
void compare_all(double tolerance) {
  using nn::Convolution, nn::Dense;
  const auto plain = [](auto&, const auto&) {};
  compare("convolution_minatar",
          nn::Sequential(Convolution<Scalar>({10, 10, 4}, {.filters = 16}), nn::ReLU{}, nn::Flatten<Scalar>({8, 8, 16}),
                         Dense<Scalar>(1024, 4), nn::ReLU{}, Dense<Scalar>(4, 3)),
          tolerance, plain);
  compare("convolution_strided", Convolution<Scalar>({9, 11, 3}, {.filters = 5, .kernel = {3, 4}, .stride = {2, 3}}),
          tolerance, plain);
  compare("convolution_same",
          Convolution<Scalar>({6, 5, 2}, {.filters = 6, .kernel = {4, 3}, .padding = nn::Padding::Same}), tolerance,
          plain);
  compare("noisy", nn::NoisyDense<Scalar>(5, 4), tolerance, [](auto& tape, const auto& file) {
    tape.set_noise(golden::values<Scalar>(file, "noise_in"), golden::values<Scalar>(file, "noise_out"));
  });
}

}  // namespace

TEST_CASE("Convolutions and noisy layers and their gradients are PyTorch's, in double") { compare_all<double>(1e-12); }

TEST_CASE("Convolutions and noisy layers and their gradients are PyTorch's, in float") { compare_all<float>(2e-5); }
