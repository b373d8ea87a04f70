// SPDX-License-Identifier: Apache-2.0
#include <mellow/nn/gelu.hpp>
#include <mellow/nn/leaky_relu.hpp>
#include <mellow/nn/sigmoid.hpp>

#include "support/catch.hpp"

using namespace mellow;

namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();

struct Naive {
  static double sigma(double x) { return 1 / (1 + std::exp(-x)); }
  static double of(nn::Identity, double x) { return x; }
  static double of(nn::ReLU, double x) { return x > 0 ? x : 0; }
  static double of(nn::LeakyReLU f, double x) { return x > 0 ? x : f.slope * x; }
  static double of(nn::Tanh, double x) { return std::tanh(x); }
  static double of(nn::Sigmoid, double x) { return sigma(x); }
  static double of(nn::Softplus, double x) { return x > 20 ? x : std::log1p(std::exp(x)); }
  static double of(nn::SiLU, double x) { return x * sigma(x); }
  static double of(nn::GELU, double x) { return x / 2 * std::erfc(-x / std::sqrt(2.0)); }
  static double of(nn::GELUTanh, double x) {
    return x / 2 * (1 + std::tanh(std::sqrt(2 / M_PI) * (x + 0.044715 * x * x * x)));
  }
};

template <class Test>
void for_all(const Test& test) {
  test(nn::Identity{});
  test(nn::ReLU{});
  test(nn::LeakyReLU{});
  test(nn::LeakyReLU{.slope = 0.3});
  test(nn::LeakyReLU{.slope = -0.3});
  test(nn::Tanh{});
  test(nn::Sigmoid{});
  test(nn::Softplus{});
  test(nn::SiLU{});
  test(nn::GELU{});
  test(nn::GELUTanh{});
}

template <class Scalar>
using Array = Eigen::Array<Scalar, Eigen::Dynamic, 1>;

template <class Scalar, class F>
Array<Scalar> value(const F& f, const Array<Scalar>& x) {
  return f.value(x);
}
template <class Scalar, class F>
Array<Scalar> derivative(const F& f, const Array<Scalar>& x) {
  Array<Scalar> delta = Array<Scalar>::Ones(x.size());
  f.multiply_by_derivative(F::keeps_input ? x : value(f, x), delta);
  return delta;
}

}  // namespace

TEST_CASE("Activations are their formulas") {
  for_all([](const auto& f) {
    CAPTURE(typeid(f).name());
    const Array<double> x = Array<double>::LinSpaced(1003, -30, 30);  // of several pieces and a rest
    const Array<double> y = value(f, x), dy = derivative(f, x);
    const Array<float> y_float = value<float>(f, x.cast<float>()), dy_float = derivative<float>(f, x.cast<float>());
    for (Index i = 0; i < x.size(); ++i) {
      CAPTURE(x[i]);
      const double expected = Naive::of(f, x[i]);
      REQUIRE(std::abs(y[i] - expected) < 1e-14 * std::max(1.0, std::abs(expected)) * 4);
      REQUIRE(std::abs(double{y_float[i]} - expected) < 2e-6 * std::max(1.0, std::abs(expected)));
      const double h = 1e-5;
      if (std::abs(x[i]) > 2 * h && std::abs(x[i] - 20) > 2 * h)
        REQUIRE(std::abs(dy[i] - (Naive::of(f, x[i] + h) - Naive::of(f, x[i] - h)) / (2 * h)) < 1e-8);
      REQUIRE(std::abs(double{dy_float[i]} - dy[i]) < 4e-6);
    }
  });
}

TEST_CASE("Activations multiply the gradient that they are given") {
  for_all([](const auto& f) {
    using F = std::remove_cvref_t<decltype(f)>;
    const Array<double> x = Array<double>::LinSpaced(700, -3, 3), before = Array<double>::Random(700);
    Array<double> delta = before;
    f.multiply_by_derivative(F::keeps_input ? x : value(f, x), delta);
    CHECK((delta - before * derivative(f, x)).abs().maxCoeff() < 1e-15);
  });
}

TEST_CASE("Activations do not overflow") {
  const auto check = []<class Scalar>(Scalar) {
    for_all([](const auto& f) {
      using F = std::remove_cvref_t<decltype(f)>;
      CAPTURE(typeid(F).name(), sizeof(Scalar));
      const bool saturates = std::is_same_v<F, nn::Tanh> || std::is_same_v<F, nn::Sigmoid>;
      const bool leaks = std::is_same_v<F, nn::LeakyReLU> || std::is_same_v<F, nn::Identity>;
      for (const Scalar large : {Scalar(1e2), Scalar(1e4), Scalar(1e18), Scalar(1e30)}) {
        CAPTURE(large);
        const Array<Scalar> x = Array<Scalar>::Constant(37, large);
        const Array<Scalar> above = value<Scalar>(f, x), below = value<Scalar>(f, -x),
                            d_above = derivative<Scalar>(f, x), d_below = derivative<Scalar>(f, -x);
        CHECK((above == (saturates ? Scalar(1) : large)).all());
        CHECK((d_above == (saturates ? Scalar(0) : Scalar(1))).all());
        if (!leaks) CHECK((below.abs() <= (std::is_same_v<F, nn::Tanh> ? Scalar(1) : Scalar(1e-30))).all());
        if (!leaks) CHECK((d_below.abs() <= Scalar(1e-30)).all());
      }
      const auto infinite = static_cast<Scalar>(infinity);
      CHECK((value<Scalar>(f, Array<Scalar>::Constant(37, infinite)) == (saturates ? Scalar(1) : infinite)).all());
    });
  };
  check(float{});
  check(double{});
}

TEST_CASE("At minus infinity activations are their limits, or NaN where PyTorch's are") {
  const auto at = [](const auto& f) {
    const double y = value<double>(f, Array<double>::Constant(9, -infinity))[3];
    CHECK((static_cast<double>(value<float>(f, Array<float>::Constant(19, -HUGE_VALF))[3]) == y || std::isnan(y)));
    return y;
  };
  CHECK(at(nn::ReLU{}) == 0);
  CHECK(at(nn::LeakyReLU{}) == -infinity);
  CHECK(at(nn::Tanh{}) == -1);
  CHECK(at(nn::Sigmoid{}) == 0);
  CHECK(at(nn::Softplus{}) == 0);
  CHECK(std::isnan(at(nn::SiLU{})));
  CHECK(std::isnan(at(nn::GELU{})));
  CHECK(std::isnan(at(nn::GELUTanh{})));
}

TEST_CASE("Activations let NaN through, so that a broken run is seen") {
  const auto check = []<class Scalar>(Scalar) {
    for_all([](const auto& f) {
      CAPTURE(typeid(f).name(), sizeof(Scalar));
      for (const Index size : {1, 37}) {
        Array<Scalar> x = Array<Scalar>::Constant(size, std::numeric_limits<Scalar>::quiet_NaN());
        CHECK(value<Scalar>(f, x).isNaN().all());
      }
    });
  };
  check(float{});
  check(double{});
}

TEST_CASE("Derivatives of steep activations stay exact in the tails") {
  const Array<double> x = Array<double>::Constant(1, -40);
  CHECK(derivative(nn::Sigmoid{}, x)[0] == Approx(std::exp(-40.0)).epsilon(1e-12));
  CHECK(derivative(nn::Softplus{}, x)[0] == Approx(std::exp(-40.0)).epsilon(1e-12));
  CHECK(value(nn::Softplus{}, x)[0] == Approx(std::exp(-40.0)).epsilon(1e-12));
}
