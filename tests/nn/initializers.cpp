// SPDX-License-Identifier: Apache-2.0
#include <mellow/nn/initializers.hpp>
#include <mellow/nn/mlp.hpp>
#include <mellow/nn/orthogonal.hpp>
#include <mellow/nn/variance_scaling.hpp>

#include "support/catch.hpp"

using namespace mellow;

namespace {
const nn::Mlp<double> network({50, 80, 30});

template <class Initializer>
Vector<double> values(const Initializer& initializer, std::size_t segment) {
  Rng rng(1);
  const Segment s = network.segments()[segment];
  return nn::initialize(network, rng, initializer).segment(s.offset, s.size());
}
double deviation(const Vector<double>& x) { return std::sqrt((x.array() - x.mean()).square().mean()); }
}  // namespace

TEST_CASE("PyTorch's default is uniform within 1/sqrt(fan_in), biases included") {
  for (const auto& [segment, fan_in] : {std::pair{0, 50.0}, {1, 50.0}, {2, 80.0}, {3, 80.0}}) {
    const Vector<double> x = values(nn::PyTorchDefault{}, static_cast<std::size_t>(segment));
    CHECK(x.cwiseAbs().maxCoeff() <= 1 / std::sqrt(fan_in));
    CHECK(x.cwiseAbs().maxCoeff() >= 0.8 / std::sqrt(fan_in));
    CHECK(deviation(x) == Approx(1 / std::sqrt(3 * fan_in)).epsilon(0.3));
  }
}

TEST_CASE("He's weights have deviation sqrt(2/fan_in), biases are zero") {
  CHECK(deviation(values(nn::He{}, 0)) == Approx(std::sqrt(2.0 / 50)).epsilon(0.05));
  CHECK(values(nn::He{}, 1).isZero());
  CHECK(deviation(values(nn::He{}, 2)) == Approx(std::sqrt(2.0 / 80)).epsilon(0.06));
}

TEST_CASE("Glorot, He and LeCun have the deviations that they name, in every distribution") {
  using nn::Distribution;
  for (const auto distribution : {Distribution::Normal, Distribution::Uniform, Distribution::TruncatedNormal}) {
    CAPTURE(static_cast<int>(distribution));
    const auto expect = [&](const auto& initializer, double wanted) {
      const Vector<double> x = values(initializer, 2);  // 80 in, 30 out
      CHECK(deviation(x) == Approx(wanted).epsilon(0.03));
      CHECK(std::abs(x.mean()) < 0.1 * wanted);
      const double furthest = x.cwiseAbs().maxCoeff() / wanted;
      if (distribution == Distribution::Normal) CHECK(furthest > 2.5);
      if (distribution == Distribution::Uniform) CHECK((furthest <= std::sqrt(3.0) && furthest > 1.7));
      if (distribution == Distribution::TruncatedNormal) CHECK((furthest <= 2 / 0.8796256610342397 && furthest > 2.2));
      CHECK(values(initializer, 3).isZero());
    };
    expect(nn::Glorot{.distribution = distribution}, std::sqrt(2.0 / (80 + 30)));
    expect(nn::Glorot{.gain = 3, .distribution = distribution}, 3 * std::sqrt(2.0 / (80 + 30)));
    expect(nn::He{.distribution = distribution}, std::sqrt(2.0 / 80));
    expect(nn::He{.fan = nn::He::Fan::Out, .distribution = distribution}, std::sqrt(2.0 / 30));
    expect(nn::He{.slope = 2, .distribution = distribution}, std::sqrt(2.0 / (5 * 80)));
    expect(nn::LeCun{.distribution = distribution}, std::sqrt(1.0 / 80));
  }
}

TEST_CASE("As they stand, Glorot is xavier_uniform_, He kaiming_normal_ and LeCun Flax's truncated normal") {
  CHECK(values(nn::Glorot{}, 0).cwiseAbs().maxCoeff() <= std::sqrt(6.0 / (50 + 80)));
  CHECK(values(nn::He{}, 0).cwiseAbs().maxCoeff() > 2.5 * std::sqrt(2.0 / 50));
  CHECK(values(nn::LeCun{}, 0).cwiseAbs().maxCoeff() <= 2 / 0.8796256610342397 * std::sqrt(1.0 / 50));
  Rng rng;
  CHECK_THROWS_AS(nn::initialize(network, rng, nn::Glorot{.gain = -1}), Error);
  CHECK_THROWS_AS(nn::initialize(network, rng, nn::He{.slope = std::nan("")}), Error);
}

TEST_CASE("A weight's fans are those of PyTorch, for dense layers and convolutions") {
  CHECK(Segment{"", {30, 80}, 0, 80}.fan_out() == 30);
  CHECK(Segment{"", {16, 4, 3, 5}, 0, 60}.fan_out() == 16 * 15);
}

TEST_CASE("Orthogonal weights are orthogonal, wide or tall") {
  using RowMajor = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
  const Vector<double> tall_values = values(nn::Orthogonal{.gain = 2}, 0), wide_values = values(nn::Orthogonal{}, 2);
  const Eigen::Map<const RowMajor> tall(tall_values.data(), 80, 50), wide(wide_values.data(), 30, 80);
  CHECK((tall.transpose() * tall - 4 * RowMajor::Identity(50, 50)).cwiseAbs().maxCoeff() < 1e-12);
  CHECK((wide * wide.transpose() - 2 * RowMajor::Identity(30, 30)).cwiseAbs().maxCoeff() < 1e-12);
  CHECK(values(nn::Orthogonal{}, 3).isZero());
  Rng rng;
  CHECK_THROWS_AS(nn::initialize(network, rng, nn::Orthogonal{.gain = 0}), Error);
}

TEST_CASE("Pretrained parameters are taken as they are, or refused") {
  Rng rng;
  const Vector<double> theta = Vector<double>::Random(network.parameters());
  CHECK(nn::initialize(network, rng, nn::pretrained(theta)) == theta);
  CHECK_THROWS_WITH(nn::initialize(network, rng, nn::pretrained(theta.head(5))), Catch::Contains("got 5"));
}
