// SPDX-License-Identifier: Apache-2.0
#include <mellow/nn/dueling.hpp>
#include <mellow/nn/layer_norm.hpp>
#include <mellow/nn/mlp.hpp>
#include <mellow/nn/noisy.hpp>
#include <mellow/nn/sequential.hpp>
#include <mellow/nn/weight_decay.hpp>

#include "nn/layers.hpp"

using namespace mellow;

namespace {

using NoisyDense = nn::NoisyDense<double>;

}  // namespace

TEST_CASE("Gradients of noisy and dueling networks agree with central differences", "[gradient]") {
  const auto noisy = [](const auto& network) {
    check_gradients(network, [&](auto& tape) {
      Rng rng(5);
      draw_noise(network, tape, rng);
    });
    check_gradients(network);
  };
  noisy(NoisyDense(5, 3));
  noisy(nn::Sequential(nn::Dense<double>(3, 6), nn::Tanh{}, NoisyDense(6, 4), nn::Tanh{}, NoisyDense(4, 2)));
  const nn::Mlp<double, nn::Tanh> value({4, 5, 3}), advantage({4, 6, 12});
  noisy(nn::Dueling(value, advantage));
  noisy(nn::Sequential(nn::Dense<double>(3, 4), nn::Tanh{}, nn::Dueling(NoisyDense(4, 1), NoisyDense(4, 3))));
}

TEST_CASE("A noisy layer is silent until noise is drawn, and again when it is silenced") {
  const nn::Sequential network(nn::Dense<double>(3, 4), nn::ReLU{}, NoisyDense(4, 2));
  STATIC_REQUIRE(NoisyNetwork<std::remove_cvref_t<decltype(network)>>);
  STATIC_REQUIRE(!NoisyNetwork<nn::Mlp<double>>);
  STATIC_REQUIRE(!NoisyNetwork<nn::Sequential<nn::Dense<double>, nn::ReLU>>);
  Rng rng(1);
  Vector<double> theta = nn::initialize(network, rng);
  const Matrix<double> input = normals(3, 5, rng);
  std::remove_cvref_t<decltype(network)>::Tape tape;
  const Matrix<double> silent = network.forward(theta, input, tape);
  draw_noise(network, tape, rng);
  const Matrix<double> noisy = network.forward(theta, input, tape);
  CHECK(noisy != silent);
  CHECK(network.forward(theta, input, tape) == noisy);  // one draw, any number of passes
  draw_noise(network, tape, rng);
  CHECK(network.forward(theta, input, tape) != noisy);
  silence(network, tape);
  CHECK(network.forward(theta, input, tape) == silent);
}

TEST_CASE("Noise has mean 0 and the deviation that sigma says, and is the same for a whole batch") {
  const NoisyDense layer(1, 1);
  const Vector<double> theta = Eigen::Vector4d(0.5, 0.25, 2, 3);  // means, then deviations
  NoisyDense::Tape tape;
  Rng rng(3);
  const Matrix<double> input = Matrix<double>::Ones(1, 2);
  constexpr int draws = 20'000;
  double sum = 0, squares = 0;
  for (int i = 0; i < draws; ++i) {
    layer.draw_noise(tape, rng);
    const auto y = layer.forward(theta, input, tape);
    REQUIRE(y(0, 0) == y(0, 1));
    sum += y(0, 0) - 0.75;
    squares += (y(0, 0) - 0.75) * (y(0, 0) - 0.75);
  }
  // f(e)^2 = |e| has mean sqrt(2 / pi), so the variance is 2^2 (2 / pi) + 3^2 sqrt(2 / pi)
  const double variance = 4 * 2 / 3.14159265358979 + 9 * std::sqrt(2 / 3.14159265358979);
  CHECK(std::abs(sum / draws) < 5 * std::sqrt(variance / draws));
  CHECK(squares / draws == Approx(variance).epsilon(0.05));
}

TEST_CASE("Deviations of noise begin as their layer says and do not decay") {
  const nn::Sequential network(nn::Dense(3, 9), nn::NoisyDense(9, 2, 0.6));
  Rng rng;
  const Vector<> theta = nn::initialize(network, rng);
  CHECK((theta.tail(20).array() == 0.2f).all());
  CHECK(network.segments()[2].name == "1.weight_mu");
  CHECK(network.segments()[5].name == "1.bias_sigma");
  const auto decaying = nn::DecayMask(network).ranges();
  REQUIRE(decaying.size() == 2);
  CHECK((decaying[1].begin == 36 && decaying[1].end == 54));
}

TEST_CASE("A dueling network's values are V + A - mean A, for one number an action and for several") {
  const nn::Dueling network(nn::Mlp<double>({2, 3}), nn::Mlp<double>({2, 12}));
  CHECK((network.outputs() == 12 && network.parameters() == 3 * 3 + 3 * 12));
  CHECK(network.segments()[0].name == "value.0.weight");
  CHECK(network.segments()[3].name == "advantage.0.bias");
  CHECK(network.segments()[3].offset == 9 + 24);
  Rng rng(1);
  const Vector<double> theta = nn::initialize(network, rng);
  const Matrix<double> input = normals(2, 4, rng);
  nn::Mlp<double>::Tape value_tape, advantage_tape;
  std::remove_cvref_t<decltype(network)>::Tape tape;
  const Matrix<double> v = network.value().forward(theta.head(9), input, value_tape);
  const Matrix<double> a = network.advantage().forward(theta.tail(36), input, advantage_tape);
  const auto q = network.forward(theta, input, tape);
  for (Index i = 0; i < 4; ++i)
    for (Index atom = 0; atom < 3; ++atom) {
      const double mean = (a(atom, i) + a(3 + atom, i) + a(6 + atom, i) + a(9 + atom, i)) / 4;
      for (Index action = 0; action < 4; ++action)
        CHECK(q(3 * action + atom, i) == Approx(v(atom, i) + a(3 * action + atom, i) - mean).margin(1e-14));
    }
}

TEST_CASE("Noisy and dueling layers that make no sense are refused") {
  CHECK_THROWS_WITH(nn::NoisyDense(0, 2), Catch::Contains("nn::NoisyDense") && Catch::Contains("got 0"));
  CHECK_THROWS_WITH(nn::NoisyDense(2, -1), Catch::Contains("width of the output"));
  CHECK_THROWS_WITH(nn::NoisyDense(2, 2, -0.5), Catch::Contains("initial deviation"));
  CHECK_THROWS_WITH(nn::Dueling(nn::Dense(3, 1), nn::Dense(4, 2)), Catch::Contains("must take 3 inputs"));
  CHECK_THROWS_WITH(nn::Dueling(nn::Dense(3, 2), nn::Dense(3, 5)),
                    Catch::Contains("a multiple of the value network's 2 outputs (got 5)"));
}
