// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <Eigen/Core>

#include <algorithm>
#include <numbers>

#include <mellow/nn/activation.hpp>

#include <unsupported/Eigen/SpecialFunctions>

namespace mellow::nn {

/// f(x) = x Phi(x) with Phi the standard normal's distribution function, (1 + erf(x / sqrt(2))) / 2 (Hendrycks &
/// Gimpel 2016); f' = Phi(x) + x phi(x) with its density phi. At -infinity NaN, as in PyTorch.
struct GELU {
  static constexpr bool keeps_input = true;  ///< see Activation

  /// The expression f(x).
  template <class X>
  auto value(const X& x) const {
    using Scalar = typename X::Scalar;
    constexpr auto root_half = static_cast<Scalar>(1.0 / std::numbers::sqrt2);
    return Scalar(0.5) * x * ((root_half * x).erf() + Scalar(1));
  }
  /// delta *= f'(x).
  template <class X, class Delta>
  void multiply_by_derivative(const X& x, Delta& delta) const {
    using Scalar = typename X::Scalar;
    constexpr auto root_half = static_cast<Scalar>(1.0 / std::numbers::sqrt2);
    constexpr auto density_at_0 = static_cast<Scalar>(root_half * std::numbers::inv_sqrtpi);
    const auto near = x.min(Scalar(20)).max(Scalar(-20));  // beyond, the density is 0: Eigen's exp stops at 1e-38
    delta *=
        Scalar(0.5) * ((root_half * x).erf() + Scalar(1)) + density_at_0 * near * (Scalar(-0.5) * near.square()).exp();
  }
  /// y = f(x) and derivative = f'(x) for the erf of one. Either may be x itself.
  template <class X, class Y, class D>
  void evaluate(const X& x, Y& y, D& derivative) const {
    using Scalar = typename X::Scalar;
    constexpr auto root_half = static_cast<Scalar>(1.0 / std::numbers::sqrt2);
    constexpr auto density_at_0 = static_cast<Scalar>(root_half * std::numbers::inv_sqrtpi);
    constexpr Index length = detail::Piece<Scalar>::MaxRowsAtCompileTime;
    for (Index begin = 0; begin < x.size(); begin += length) {
      const Index n = std::min(length, x.size() - begin);
      const detail::Piece<Scalar> from = x.segment(begin, n);
      const detail::Piece<Scalar> phi = Scalar(0.5) * ((root_half * from).erf() + Scalar(1));
      const auto near = from.min(Scalar(20)).max(Scalar(-20));  // as above
      y.segment(begin, n) = from * phi;
      derivative.segment(begin, n) = phi + density_at_0 * near * (Scalar(-0.5) * near.square()).exp();
    }
  }
};

/// The approximation of GELU by tanh, of the first GPTs: f(x) = x (1 + tanh(u)) / 2 with u = sqrt(2 / pi) (x + 0.044715
/// x^3); within 5e-4 of GELU. Choose it to run weights that were trained with it.
struct GELUTanh {
  static constexpr bool keeps_input = true;  ///< see Activation

  /// The expression f(x).
  template <class X>
  auto value(const X& x) const {
    using Scalar = typename X::Scalar;
    return Scalar(0.5) * x * ((x * (scale<Scalar> + cubic<Scalar> * x.square())).tanh() + Scalar(1));
  }
  /// delta *= f'(x).
  template <class X, class Delta>
  void multiply_by_derivative(const X& x, Delta& delta) const {
    using Scalar = typename X::Scalar;
    detail::for_pieces(x, delta, [](const auto& x_piece, auto& delta_piece) {
      const detail::Piece<Scalar> near = x_piece.min(Scalar(20)).max(Scalar(-20));  // beyond, tanh is +-1
      const detail::Piece<Scalar> t = (near * (scale<Scalar> + cubic<Scalar> * near.square())).tanh();
      delta_piece *=
          Scalar(0.5) * (t + Scalar(1) +
                         near * (Scalar(1) - t.square()) * (scale<Scalar> + Scalar(3) * cubic<Scalar> * near.square()));
    });
  }

 private:
  template <class Scalar>
  static constexpr Scalar scale = static_cast<Scalar>(std::numbers::sqrt2 * std::numbers::inv_sqrtpi);
  template <class Scalar>
  static constexpr Scalar cubic = static_cast<Scalar>(0.044715 * std::numbers::sqrt2 * std::numbers::inv_sqrtpi);
};

}  // namespace mellow::nn
