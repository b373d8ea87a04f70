// SPDX-License-Identifier: Apache-2.0
#include <mellow/core/rng.hpp>
#include <mellow/nn/optimizers.hpp>

#include "support/catch.hpp"

using namespace mellow;
using nn::Adam;
using nn::Sgd;

namespace {
/// Adam as its paper writes it, one number at a time.
struct ReferenceAdam {
  double m = 0, v = 0;
  int t = 0;
  double step(double theta, double g, double rate) {
    ++t;
    m = 0.9 * m + 0.1 * g;
    v = 0.999 * v + 0.001 * g * g;
    return theta - rate * (m / (1 - std::pow(0.9, t))) / (std::sqrt(v / (1 - std::pow(0.999, t))) + 1e-8);
  }
};
}  // namespace

TEST_CASE("Adam follows its definition") {
  Rng rng(1);
  const Index n = 3000;  // more than one block
  const Adam adam{.learning_rate = linear(1e-2, 1e-3, 100)};
  Adam::State<double> state;
  state.reset(n);
  Vector<double> theta = Vector<double>::Random(n), expected = theta, gradient(n);
  std::vector<ReferenceAdam> reference(static_cast<std::size_t>(n));
  for (Index t = 0; t < 200; ++t) {
    for (double& g : gradient) g = rng.normal();
    adam.step(state, theta, gradient);
    for (Index i = 0; i < n; ++i)
      expected[i] = reference[static_cast<std::size_t>(i)].step(expected[i], gradient[i], linear(1e-2, 1e-3, 100)(t));
    REQUIRE((theta - expected).cwiseAbs().maxCoeff() < 1e-12);
  }
  CHECK(state.steps == 200);
}

TEST_CASE("Adam's first step is the learning rate in the gradient's direction") {
  Adam::State<double> state;
  state.reset(3);
  Vector<double> theta = Vector<double>::Zero(3);
  Adam{.learning_rate = 0.1}.step(state, theta, Eigen::Vector3d(5, -1e-3, 0));
  CHECK(theta[0] == Approx(-0.1));
  CHECK(theta[1] == Approx(0.1).epsilon(1e-4));
  CHECK(theta[2] == 0);
}

TEST_CASE("Forgetting Adam's moments makes the next step a first step; the schedule goes on") {
  const Adam adam{.learning_rate = linear(1.0, 0.0, 10)};
  Adam::State<double> state;
  state.reset(1);
  Vector<double> theta = Vector<double>::Zero(1);
  for (int i = 0; i < 5; ++i) adam.step(state, theta, Vector<double>::Constant(1, 3.0));
  state.forget_first_moment();
  state.forget_second_moment();
  theta.setZero();
  adam.step(state, theta, Vector<double>::Constant(1, -7.0));
  CHECK(theta[0] == Approx(0.5));
  CHECK((state.m_steps == 1 && state.v_steps == 1 && state.steps == 6));
}

TEST_CASE("Moments that decay to nothing do not become denormal") {
  Adam::State<float> state;
  state.reset(4);
  Vector<float> theta = Vector<float>::Zero(4);
  Adam{}.step(state, theta, Vector<float>::Ones(4));
  for (int i = 0; i < 3000; ++i) Adam{}.step(state, theta, Vector<float>::Zero(4));
  CHECK((state.m[0] < 1e-36f && (state.m[0] == 0 || std::isnormal(state.m[0]))));
  CHECK(std::isnormal(state.v[0]));
}

TEST_CASE("Sgd steps against the gradient at its scheduled rate") {
  const Sgd sgd{.learning_rate = linear(1.0, 0.0, 2)};
  Sgd::State<double> state;
  state.reset(2);
  Vector<double> theta = Eigen::Vector2d(1, 2);
  sgd.step(state, theta, Eigen::Vector2d(1, -1));
  CHECK(theta == Eigen::Vector2d(0, 3));
  sgd.step(state, theta, Eigen::Vector2d(1, -1));
  CHECK(theta == Eigen::Vector2d(-0.5, 3.5));
}

TEST_CASE("Clipping bounds the norm and keeps the direction") {
  Vector<double> gradient = Eigen::Vector2d(3, 4);
  CHECK(nn::clip_norm(gradient, 10.0) == 5);
  CHECK(gradient == Eigen::Vector2d(3, 4));
  CHECK(nn::clip_norm(gradient, 1.0) == 5);
  CHECK(gradient[0] == Approx(0.6));
  CHECK(gradient[1] == Approx(0.8));
}

TEST_CASE("Optimisers refuse numbers that make no sense") {
  CHECK_THROWS_WITH(Adam{.learning_rate = -0.1}.validate(),
                    Catch::Contains("nn::Adam: learning_rate") && Catch::Contains("-0.1"));
  CHECK_THROWS_AS(Sgd{.learning_rate = -1e-9}.validate(), Error);
  CHECK_THROWS_AS(Sgd{.learning_rate = std::nan("")}.validate(), Error);
  CHECK_THROWS_AS(Adam{.beta1 = 1}.validate(), Error);
  CHECK_THROWS_AS(Adam{.beta2 = -0.1}.validate(), Error);
  CHECK_THROWS_AS(Adam{.epsilon = 0}.validate(), Error);
}
