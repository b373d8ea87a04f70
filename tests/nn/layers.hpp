// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <mellow/nn/initializers.hpp>

#include "support/gradient.hpp"

/// Standard normal numbers.
inline mellow::Matrix<double> normals(mellow::Index rows, mellow::Index columns, mellow::Rng& rng) {
  mellow::Matrix<double> m(rows, columns);
  for (double& x : m.reshaped()) x = rng.normal();
  return m;
}

/// Checks a network's gradients in parameters and input by central differences, at random ones. `prepare(tape)` comes
/// before every pass.
template <class Net>
void check_gradients(const Net& network, const auto& prepare) {
  using mellow::Matrix, mellow::Vector, mellow::Index;
  mellow::Rng rng(1);
  constexpr Index batch = 7;
  Vector<double> theta = mellow::nn::initialize(network, rng);
  for (double& x : theta) x += 0.1 * rng.normal();  // off the points where normalisations begin
  const Matrix<double> input = normals(network.inputs(), batch, rng);
  const Matrix<double> direction = normals(network.outputs(), batch, rng);
  const auto loss = [&](const Vector<double>& at, const Matrix<double>& x) {
    typename Net::Tape tape;
    prepare(tape);
    return network.forward(at, x, tape).cwiseProduct(direction).sum();
  };
  typename Net::Tape tape;
  prepare(tape);
  network.forward(theta, input, tape);
  Vector<double> gradient = Vector<double>::Zero(network.parameters()), alone = gradient;
  Matrix<double> around = Matrix<double>::Constant(network.inputs() + 2, batch, 7.0);  // d_input is a block of it
  mellow::MatrixRef<double> d_input = around.middleRows(1, network.inputs());
  network.backward(theta, tape, direction, gradient, &d_input);
  expect_gradient([&](const Vector<double>& at) { return loss(at, input); }, theta, gradient);
  expect_gradient([&](const Vector<double>& x) { return loss(theta, x.reshaped(network.inputs(), batch)); },
                  input.reshaped(), Matrix<double>(d_input).reshaped());
  CHECK(((around.row(0).array() == 7).all() && (around.bottomRows(1).array() == 7).all()));
  network.backward(theta, tape, direction, alone);
  CHECK(alone == gradient);
}

template <class Net>
void check_gradients(const Net& network) {
  check_gradients(network, [](auto&) {});
}
