// SPDX-License-Identifier: Apache-2.0
#include <mellow/core/rng.hpp>
#include <mellow/nn/initializers.hpp>
#include <mellow/nn/mlp.hpp>

#include "support/gradient.hpp"

using namespace mellow;
using nn::Mlp;

namespace {
Matrix<double> normals(Index rows, Index columns, Rng& rng) {
  Matrix<double> m(rows, columns);
  for (double& x : m.reshaped()) x = rng.normal();
  return m;
}
}  // namespace

TEST_CASE("An Mlp computes what its layers say") {
  const Mlp<double, nn::Tanh> network({2, 3, 1});
  REQUIRE(network.parameters() == 3 * 3 + 1 * 4);
  Vector<double> theta(13);
  theta << 1, 2, 3, 4, 5, 6, .1, .2, .3, /* second layer */ 1, -1, 2, .5;
  const Eigen::Vector2d x(0.1, -0.2);
  Mlp<double, nn::Tanh>::Tape tape;
  const double h0 = std::tanh(1 * .1 - 2 * .2 + .1), h1 = std::tanh(3 * .1 - 4 * .2 + .2),
               h2 = std::tanh(5 * .1 - 6 * .2 + .3);
  CHECK(network.forward(theta, x, tape)(0, 0) == Approx(h0 - h1 + 2 * h2 + .5).epsilon(1e-14));
}

TEST_CASE("Segments are named as in PyTorch and cover the parameters without holes") {
  const Mlp<float> network({4, 64, 32, 2});
  Index offset = 0;
  for (const Segment& segment : network.segments()) {
    CHECK(segment.offset == offset);
    offset += segment.size();
  }
  CHECK(offset == network.parameters());
  const auto segments = network.segments();
  REQUIRE(segments.size() == 6);
  CHECK(segments[0].name == "0.weight");
  CHECK(segments[2].name == "2.weight");
  CHECK(segments[5].name == "4.bias");
  CHECK(segments[2].shape == std::vector<Index>{32, 64});
  CHECK(segments[3].fan_in == 64);
}

TEST_CASE("Gradients of an Mlp agree with central differences", "[gradient]") {
  Rng rng(1);
  const auto check = [&]<class Hidden, class Output>(Hidden hidden, Output output) {
    using Network = Mlp<double, Hidden, Output>;
    for (const auto& widths : {std::vector<Index>{3, 2}, {3, 5, 2}, {1, 4, 3, 1}, {2, 33, 17, 5}}) {
      const Network network(widths, hidden, output);
      const Vector<double> theta = nn::initialize(network, rng);
      const Matrix<double> input = normals(network.inputs(), 7, rng), direction = normals(network.outputs(), 7, rng);
      const auto loss = [&](const Vector<double>& at, const Matrix<double>& x) {
        typename Network::Tape tape;
        return network.forward(at, x, tape).cwiseProduct(direction).sum();
      };
      typename Network::Tape tape;
      network.forward(theta, input, tape);
      Vector<double> gradient = Vector<double>::Zero(network.parameters());
      Matrix<double> d_input(network.inputs(), 7);
      MatrixRef<double> d_input_ref(d_input);
      network.backward(theta, tape, direction, gradient, &d_input_ref);
      expect_gradient([&](const Vector<double>& at) { return loss(at, input); }, theta, gradient);
      expect_gradient([&](const Vector<double>& x) { return loss(theta, x.reshaped(network.inputs(), 7)); },
                      input.reshaped(), d_input.reshaped());
    }
  };
  check(nn::Identity{}, nn::Identity{});
  check(nn::Identity{}, nn::ReLU{});
  check(nn::ReLU{}, nn::Identity{});
  check(nn::ReLU{}, nn::Tanh{});
  check(nn::Tanh{}, nn::Identity{});
  check(nn::Tanh{}, nn::ReLU{});
}

TEST_CASE("An Mlp reads blocks of taller matrices as well") {
  Rng rng(4);
  const Mlp<double> network({3, 8, 2});
  const Vector<double> theta = nn::initialize(network, rng);
  const Matrix<double> tall = normals(7, 5, rng), direction = normals(6, 5, rng);
  const auto gradient = [&](const ConstMatrixRef<double>& input, const ConstMatrixRef<double>& d_output) {
    Mlp<double>::Tape tape;
    network.forward(theta, input, tape);
    Vector<double> sum = Vector<double>::Zero(network.parameters());
    network.backward(theta, tape, d_output, sum);
    return sum;
  };
  const Matrix<double> input = tall.middleRows(2, 3), d_output = direction.topRows(2);
  CHECK(gradient(tall.middleRows(2, 3), direction.topRows(2)) == gradient(input, d_output));
}

TEST_CASE("backward adds to the gradient and does not change what forward computed") {
  Rng rng(2);
  const Mlp<double> network({3, 8, 2});
  const Vector<double> theta = nn::initialize(network, rng);
  const Matrix<double> input = normals(3, 5, rng), direction = normals(2, 5, rng);
  Mlp<double>::Tape tape;
  const Matrix<double> output = network.forward(theta, input, tape);
  Vector<double> once = Vector<double>::Zero(network.parameters());
  network.backward(theta, tape, direction, once);
  Vector<double> twice = once;
  network.backward(theta, tape, direction, twice);
  CHECK((twice - 2 * once).cwiseAbs().maxCoeff() < 1e-14);
  CHECK(network.forward(theta, input, tape) == output);
}

TEST_CASE("A tape serves batches of changing size") {
  Rng rng(3);
  const Mlp<double> network({3, 8, 2});
  const Vector<double> theta = nn::initialize(network, rng);
  const Matrix<double> input = normals(3, 9, rng);
  Mlp<double>::Tape reused;
  for (const Index batch : {9, 1, 4, 9}) {
    Mlp<double>::Tape fresh;
    const Matrix<double> part = input.leftCols(batch);
    CHECK(network.forward(theta, part, reused) == network.forward(theta, part, fresh));
  }
}

TEST_CASE("Widths that make no network are refused") {
  CHECK_THROWS_AS(Mlp<float>({4}), Error);
  CHECK_THROWS_AS(Mlp<float>({4, 0, 2}), Error);
  CHECK_THROWS_WITH(Mlp<float>({4, -3, 2}), Catch::Contains("nn::Mlp") && Catch::Contains("-3"));
}

TEST_CASE("An Mlp keeps a copy of what does not outlive the call, and writes into blocks") {
  Rng rng(5);
  const Mlp<double> network({3, 8, 2});
  const Vector<double> theta = nn::initialize(network, rng);
  const Matrix<double> rows = normals(5, 3, rng), direction = normals(2, 5, rng);
  const Matrix<double> input = rows.transpose();
  const auto gradients = [&](auto&& forward, auto&& d_input) {
    Mlp<double>::Tape tape;
    forward(tape);
    Vector<double> sum = Vector<double>::Zero(network.parameters());
    MatrixRef<double> to_input(d_input);
    network.backward(theta, tape, direction, sum, &to_input);
    return sum;
  };
  Matrix<double> d_input(3, 5), tall = Matrix<double>::Ones(6, 5);
  const Vector<double> expected = gradients([&](auto& tape) { network.forward(theta, input, tape); }, d_input);
  CHECK(gradients([&](auto& tape) { network.forward(theta, rows.transpose(), tape); }, tall.middleRows(1, 3)) ==
        expected);
  CHECK(tall.middleRows(1, 3) == d_input);
  CHECK(tall.row(0) == tall.row(5));  // and nothing else
  CHECK(gradients([&](auto& tape) { network.forward(theta, 1.0 * input, tape); }, tall.topRows(3)) == expected);
  CHECK(gradients([&](auto& tape) { network.forward(theta, Matrix<double>(input), tape); }, tall.topRows(3)) ==
        expected);
}
