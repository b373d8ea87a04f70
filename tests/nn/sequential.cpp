// SPDX-License-Identifier: Apache-2.0
#include <mellow/nn/gelu.hpp>
#include <mellow/nn/initializers.hpp>
#include <mellow/nn/layer_norm.hpp>
#include <mellow/nn/leaky_relu.hpp>
#include <mellow/nn/mlp.hpp>
#include <mellow/nn/orthogonal.hpp>
#include <mellow/nn/sequential.hpp>
#include <mellow/nn/sgd.hpp>
#include <mellow/nn/sigmoid.hpp>
#include <mellow/nn/variance_scaling.hpp>
#include <mellow/value/dqn.hpp>

#include "nn/layers.hpp"

using namespace mellow;
using nn::Sequential;

namespace {

using Dense = nn::Dense<double>;
using LayerNorm = nn::LayerNorm<double>;

/// A network whose output is no view and whose backward pass is plain: x -> a x with one parameter.
struct Multiply {
  using Scalar = double;
  struct Tape {
    Matrix<double> input;
  };
  Index width;
  Index inputs() const { return width; }
  Index outputs() const { return width; }
  Index parameters() const { return 1; }
  std::vector<Segment> segments() const { return {{"factor", {1}, 0, 1}}; }
  Matrix<double> forward(const ConstVectorRef<double>& theta, const ConstMatrixRef<double>& x, Tape& tape) const {
    tape.input = x;
    return theta[0] * x;
  }
  void backward(const ConstVectorRef<double>& theta, Tape& tape, const ConstMatrixRef<double>& d,
                VectorRef<double> gradient, MatrixRef<double>* d_input = nullptr) const {
    gradient[0] += tape.input.cwiseProduct(d).sum();
    if (d_input != nullptr) *d_input = theta[0] * d;
  }
};

}  // namespace

TEST_CASE("Gradients of compositions agree with central differences", "[gradient]") {
  check_gradients(Dense(3, 2));
  check_gradients(LayerNorm(5));
  check_gradients(Sequential(Dense(3, 2)));
  check_gradients(Sequential(Dense(3, 5), nn::Tanh{}));
  check_gradients(Sequential(nn::Sigmoid{}, Dense(3, 5)));
  check_gradients(Sequential(nn::Sigmoid{}, nn::GELU{}, Dense(3, 5), nn::Softplus{}, nn::SiLU{}));
  check_gradients(Sequential(Dense(4, 16), LayerNorm(16), nn::SiLU{}, Dense(16, 2)));
  check_gradients(Sequential(LayerNorm(4), Dense(4, 33), nn::GELUTanh{}, Dense(33, 7), nn::LeakyReLU{}, LayerNorm(7)));
  check_gradients(Sequential(nn::Mlp<double, nn::Tanh>({3, 8, 4}), LayerNorm(4), nn::Mlp<double, nn::SiLU>({4, 5, 1})));
  check_gradients(Sequential(Sequential(Dense(2, 3), nn::Tanh{}), Multiply{3}, nn::Identity{}, Dense(3, 2)));
  check_gradients(nn::Mlp<double, nn::SiLU>({3, 8, 4}));
  check_gradients(nn::Mlp<double, nn::GELU, nn::Softplus>({3, 8, 5, 4}));
  check_gradients(nn::Mlp<double, nn::Sigmoid, nn::GELUTanh>({3, 8, 4}));
  check_gradients(nn::Mlp<double, nn::LeakyReLU>({3, 8, 4}, {.slope = 0.3}));
}

TEST_CASE("A Sequential of dense layers is the Mlp, bit for bit") {
  const nn::Mlp<double, nn::Tanh> mlp({4, 33, 20, 3});
  const Sequential sequence(Dense(4, 33), nn::Tanh{}, Dense(33, 20), nn::Tanh{}, Dense(20, 3));
  Rng rng(2), same(2);
  const Vector<double> theta = nn::initialize(mlp, rng);
  CHECK(nn::initialize(sequence, same) == theta);
  for (std::size_t i = 0; i < 6; ++i) CHECK(sequence.segments()[i].name == mlp.segments()[i].name);
  const Matrix<double> input = normals(4, 9, rng), direction = normals(3, 9, rng);
  Vector<double> gradient = Vector<double>::Zero(theta.size()), expected = gradient;
  decltype(sequence)::Tape tape;
  decltype(mlp)::Tape mlp_tape;
  CHECK(sequence.forward(theta, input, tape) == mlp.forward(theta, input, mlp_tape));
  sequence.backward(theta, tape, direction, gradient);
  mlp.backward(theta, mlp_tape, direction, expected);
  CHECK(gradient == expected);
}

TEST_CASE("Parameters are named by position, as in PyTorch, and cover theta without holes") {
  const Sequential network(nn::Dense(4, 8), nn::LayerNorm(8), nn::SiLU{}, nn::Mlp({8, 6, 2}));
  const std::vector<std::string> names{"0.weight",   "0.bias",   "1.weight",   "1.bias",
                                       "3.0.weight", "3.0.bias", "3.2.weight", "3.2.bias"};
  const auto segments = network.segments();
  REQUIRE(segments.size() == names.size());
  Index offset = 0;
  for (std::size_t i = 0; i < names.size(); ++i) {
    CHECK(segments[i].name == names[i]);
    CHECK(segments[i].offset == offset);
    offset += segments[i].size();
  }
  CHECK(offset == network.parameters());
  CHECK((network.inputs() == 4 && network.outputs() == 2));
  CHECK(segments[2].kind == Segment::Kind::Scale);
  CHECK(segments[3].kind == Segment::Kind::Shift);
}

TEST_CASE("A normalisation begins with scale 1 and shift 0, whatever the initialiser, and does not decay") {
  const Sequential network(Dense(4, 8), LayerNorm(8));
  const auto check = [&](const auto& initializer) {
    Rng rng;
    const Vector<double> theta = nn::initialize(network, rng, initializer);
    CHECK(theta.segment(40, 8) == Vector<double>::Ones(8));
    CHECK(theta.segment(48, 8).isZero());
    CHECK(theta.head(32).cwiseAbs().minCoeff() > 0);
  };
  check(nn::PyTorchDefault{});
  check(nn::He{});
  check(nn::Glorot{});
  check(nn::LeCun{});
  check(nn::Orthogonal{});
  const auto decaying = nn::DecayMask(network).ranges();
  REQUIRE(decaying.size() == 1);
  CHECK((decaying[0].begin == 0 && decaying[0].end == 32));
}

TEST_CASE("Layer normalisation gives each sample mean 0 and variance 1, and stands constants") {
  Rng rng(3);
  const nn::LayerNorm<double> norm(6, 1e-12);
  Vector<double> theta(12);
  theta << Vector<double>::Ones(6), Vector<double>::Zero(6);
  Matrix<double> input = normals(6, 4, rng);
  input.col(3).setConstant(1e8);
  LayerNorm::Tape tape;
  const Matrix<double> y = norm.forward(theta, input, tape);
  for (Index i = 0; i < 3; ++i) {
    CHECK(std::abs(y.col(i).mean()) < 1e-14);
    CHECK(y.col(i).squaredNorm() / 6 == Approx(1));
  }
  CHECK(y.col(3).isZero());
}

TEST_CASE("Layers that do not fit are refused by position") {
  CHECK_THROWS_WITH(Sequential(nn::Dense(4, 64), nn::SiLU{}, nn::LayerNorm(32)),
                    Catch::Contains("nn::Sequential: layer 2 must take the 64 outputs of layer 0 (got 32)"));
  CHECK_THROWS_WITH(Sequential(nn::ReLU{}, nn::Dense(4, 64), nn::Mlp({63, 2})),
                    Catch::Contains("layer 2 must take the 64 outputs of layer 1 (got 63)"));
  CHECK_THROWS_WITH(nn::Dense(0, 2), Catch::Contains("nn::Dense") && Catch::Contains("got 0"));
  CHECK_THROWS_WITH(nn::Dense(3, -2), Catch::Contains("got -2"));
  CHECK_THROWS_AS(nn::LayerNorm(0), Error);
  CHECK_THROWS_AS(nn::LayerNorm(3, 0.0), Error);
}

TEST_CASE("A Sequential is a network for Dqn") {
  const Sequential network(nn::Dense(4, 16), nn::LayerNorm(16), nn::SiLU{}, nn::Dense(16, 2));
  static_assert(Network<std::remove_cvref_t<decltype(network)>>);
  value::Dqn dqn(network, {.batch_size = 4, .learning_starts = 1}, nn::Sgd{.weight_decay = 0.1});
  const Vector<float> before = dqn.parameters();
  Rng rng;
  for (int i = 0; i < 5; ++i)
    dqn.observe({Vector<float>::Constant(4, 0.1f), i % 2, 1.0, Vector<float>::Zero(4), false, false}, rng);
  CHECK(dqn.parameters() != before);
  CHECK(dqn.learner().optimizer_state.decay.ranges().size() == 2);
}
