// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cmath>
#include <concepts>
#include <limits>

#include <mellow/core/error.hpp>
#include <mellow/preference/elementary.hpp>

namespace mellow::preference {

/// h(a) = f'(exp(a)) - f'(1), which is 0 at the reference, and its derivative in a.
struct Score {
  double value = 0;  ///< h(a)
  double slope = 0;  ///< dh / da
};

/// What f-DPO needs of a divergence: `score(a)` of a log-ratio a, a `Score`. It may have
/// `validate()` and `clips(a) -> bool`, whether a bound that keeps the score finite is at work.
template <class G>
concept ScoreFunction = requires(const G g, double a) {
  { g.score(a) } -> std::same_as<Score>;
};

/// The generator f of a divergence D_f(pi || ref) = sum_y ref(y) f(pi(y) / ref(y)), as written: adding k (t - 1) to f
/// changes neither D_f nor a loss, but it moves the minimiser.
///
///     f(t), derivative(t)     the generator and f' for t > 0; f(0) is its limit
///     minimizer()             argmin over t >= 0 of f; infinity where there is none
///     least_slope()           the limit of f'(t) for t -> 0
template <class G>
concept Generator = ScoreFunction<G> && requires(const G g, double t) {
  { g.f(t) } -> std::same_as<double>;
  { g.derivative(t) } -> std::same_as<double>;
  { g.minimizer() } -> std::same_as<double>;
  { g.least_slope() } -> std::same_as<double>;
};

/// A generator whose f' increases strictly from t = 0 on, so that optimal policies follow from it:
///
///     increasing_until()      up to which t f' increases; infinity for a convex f
///     greatest_slope()        f' there, or its limit
///
/// It may have `inverse(v)`, the t with f'(t) = v on the increasing part, where that has a closed form.
template <class G>
concept InvertibleGenerator = Generator<G> && requires(const G g) {
  { g.increasing_until() } -> std::same_as<double>;
  { g.greatest_slope() } -> std::same_as<double>;
};

/// Whether the RLHF problem with this penalty turns into a loss of pairs: f'(t) -> -infinity for t -> 0 keeps every
/// response of the optimal policy at positive probability (Pipano et al. 2026, corollary 1).
template <Generator G>
bool is_dpo_inducing(const G& g) {
  return g.least_slope() == -std::numeric_limits<double>::infinity();
}

/// Whether the generator, as written, meets the necessary condition for a loss under which not both responses of a pair
/// must fall: argmin f >= 1 (Pipano et al. 2026, lemma 2). Not sufficient.
template <Generator G>
bool is_displacement_resistant(const G& g) {
  return g.minimizer() >= 1.0;
}

namespace detail {
inline constexpr double infinity = std::numeric_limits<double>::infinity();

/// exp(min(x, limit)) and its derivative, which is 0 beyond the limit.
[[gnu::always_inline]] inline Score bounded_exponential(double x, double limit) {
  const double e = exponential(std::min(x, limit));
  return {e, x > limit ? 0.0 : e};
}
}  // namespace detail

/// f = t log t, DPO's: h = a.
struct ReverseKl {
  Score score(double a) const { return {a, 1.0}; }                    ///< h and dh/da
  double f(double t) const { return t > 0 ? t * std::log(t) : 0.0; }  ///< the generator
  double derivative(double t) const { return std::log(t) + 1.0; }     ///< f'
  double minimizer() const { return std::exp(-1.0); }                 ///< 1/e: both may fall
  double least_slope() const { return -detail::infinity; }            ///< induces a loss
  double increasing_until() const { return detail::infinity; }        ///< convex
  double greatest_slope() const { return detail::infinity; }          ///< unbounded
  double inverse(double v) const { return std::exp(v - 1.0); }        ///< of f'
};

/// f = -log t: h = 1 - exp(-a), dh/da = exp(-a). -a is bounded at `exponent_limit`; the derivative is 0 there.
struct ForwardKl {
  double exponent_limit = 80.0;  ///< > 0

  /// h and dh/da.
  Score score(double a) const {
    const Score e = detail::bounded_exponential(-a, exponent_limit);
    return {1.0 - e.value, e.slope};
  }
  bool clips(double a) const { return -a > exponent_limit; }    ///< whether the bound is at work
  double f(double t) const { return -std::log(t); }             ///< the generator
  double derivative(double t) const { return -1.0 / t; }        ///< f'
  double minimizer() const { return detail::infinity; }         ///< none: f falls for ever
  double least_slope() const { return -detail::infinity; }      ///< induces a loss
  double increasing_until() const { return detail::infinity; }  ///< convex
  double greatest_slope() const { return 0.0; }                 ///< for t -> infinity
  double inverse(double v) const { return -1.0 / v; }           ///< of f', for v < 0
};

/// f = t log t - (t + 1) log((t + 1) / 2): h = log(2 sigma(a)), dh/da = sigma(-a).
struct JensenShannon {
  /// h and dh/da. Static, since GCC 12 takes the one byte of an empty object for read where a call is not inlined.
  static Score score(double a) { return {0.6931471805599453 + log_sigmoid(a), sigmoid(-a)}; }
  /// The generator.
  double f(double t) const { return (t > 0 ? t * std::log(t) : 0.0) - (t + 1.0) * std::log(0.5 * (t + 1.0)); }
  double derivative(double t) const { return std::log(2.0 * t / (1.0 + t)); }   ///< f'
  double minimizer() const { return 1.0; }                                      ///< 1
  double least_slope() const { return -detail::infinity; }                      ///< induces a loss
  double increasing_until() const { return detail::infinity; }                  ///< convex
  double greatest_slope() const { return std::log(2.0); }                       ///< for t -> infinity
  double inverse(double v) const { return std::exp(v) / (2.0 - std::exp(v)); }  ///< of f', for v < log 2
};

/// f = (t^alpha - 1 - alpha (t - 1)) / (alpha (alpha - 1)), 0 < alpha < 1: h = (exp((alpha - 1) a) - 1) / (alpha - 1),
/// dh/da = exp((alpha - 1) a). Towards alpha = 0 the forward KL. Within 1e-6 of 1 it is the reverse KL, h = a, as in
/// trl: f = t log t - t + 1. (alpha - 1) a is bounded at `exponent_limit`; the derivative is 0 there.
struct AlphaDivergence {
  double alpha = 0.5;            ///< in (0, 1]
  double exponent_limit = 80.0;  ///< > 0

  /// Throws Error for a number out of range.
  void validate() const {
    require(alpha > 0 && alpha <= 1, "preference::AlphaDivergence", "alpha must lie in (0, 1]", alpha);
  }
  /// h and dh/da.
  Score score(double a) const {
    const Score e = detail::bounded_exponential((alpha - 1.0) * a, exponent_limit);
    return {is_reverse_kl() ? a : (e.value - 1.0) / (alpha - 1.0), is_reverse_kl() ? 1.0 : e.slope};
  }
  bool is_reverse_kl() const { return std::abs(alpha - 1.0) < 1e-6; }  ///< where the differences would cancel
  /// Whether the bound is at work.
  bool clips(double a) const { return !is_reverse_kl() && (alpha - 1.0) * a > exponent_limit; }
  /// The generator.
  double f(double t) const {
    if (is_reverse_kl()) return (t > 0 ? t * std::log(t) : 0.0) - t + 1.0;
    return (std::pow(t, alpha) - 1.0 - alpha * (t - 1.0)) / (alpha * (alpha - 1.0));
  }
  /// f'.
  double derivative(double t) const {
    return is_reverse_kl() ? std::log(t) : (std::pow(t, alpha - 1.0) - 1.0) / (alpha - 1.0);
  }
  double minimizer() const { return 1.0; }                      ///< 1
  double least_slope() const { return -detail::infinity; }      ///< induces a loss
  double increasing_until() const { return detail::infinity; }  ///< convex
  double greatest_slope() const { return is_reverse_kl() ? detail::infinity : 1.0 / (1.0 - alpha); }  ///< t -> infinity
  /// Of f', for v below the greatest slope.
  double inverse(double v) const {
    return is_reverse_kl() ? std::exp(v) : std::pow(1.0 + (alpha - 1.0) * v, 1.0 / (alpha - 1.0));
  }
};

/// f = (sqrt(t) - 1)^2: h = 1 - exp(-a / 2), dh/da = exp(-a / 2) / 2. -a / 2 is bounded at `exponent_limit`; the
/// derivative is 0 there.
struct SquaredHellinger {
  double exponent_limit = 80.0;  ///< > 0

  /// h and dh/da.
  Score score(double a) const {
    const Score e = detail::bounded_exponential(-0.5 * a, exponent_limit);
    return {1.0 - e.value, 0.5 * e.slope};
  }
  bool clips(double a) const { return -0.5 * a > exponent_limit; }                  ///< whether the bound is at work
  double f(double t) const { return (std::sqrt(t) - 1.0) * (std::sqrt(t) - 1.0); }  ///< the generator
  double derivative(double t) const { return 1.0 - 1.0 / std::sqrt(t); }            ///< f'
  double minimizer() const { return 1.0; }                                          ///< 1
  double least_slope() const { return -detail::infinity; }                          ///< induces a loss
  double increasing_until() const { return detail::infinity; }                      ///< convex
  double greatest_slope() const { return 1.0; }                                     ///< for t -> infinity
  double inverse(double v) const { return 1.0 / ((1.0 - v) * (1.0 - v)); }          ///< of f', for v < 1
};

/// f = (t - 1)^2: h = 2 (exp(a) - 1), dh/da = 2 exp(a). Not DPO-inducing: the optimal policy may leave a response out.
/// a is bounded at `exponent_limit`; the derivative is 0 there.
struct ChiSquare {
  double exponent_limit = 80.0;  ///< > 0

  /// h and dh/da.
  Score score(double a) const {
    const Score e = detail::bounded_exponential(a, exponent_limit);
    return {2.0 * (e.value - 1.0), 2.0 * e.slope};
  }
  bool clips(double a) const { return a > exponent_limit; }      ///< whether the bound is at work
  double f(double t) const { return (t - 1.0) * (t - 1.0); }     ///< the generator
  double derivative(double t) const { return 2.0 * (t - 1.0); }  ///< f'
  double minimizer() const { return 1.0; }                       ///< 1
  double least_slope() const { return -2.0; }                    ///< finite: a response may have probability 0
  double increasing_until() const { return detail::infinity; }   ///< convex
  double greatest_slope() const { return detail::infinity; }     ///< unbounded
  double inverse(double v) const { return 1.0 + 0.5 * v; }       ///< of f', for v >= -2
};

/// f = (t - 1)^2 / 2 + t log t, chiPO's: h = exp(a) - 1 + a, dh/da = exp(a) + 1. a in the exponent is bounded at
/// `exponent_limit`; its part of the derivative is 0 there.
struct ChiSquareKl {
  double exponent_limit = 88.0;  ///< > 0

  /// h and dh/da.
  Score score(double a) const {
    const Score e = detail::bounded_exponential(a, exponent_limit);
    return {e.value - 1.0 + a, e.slope + 1.0};
  }
  bool clips(double a) const { return a > exponent_limit; }  ///< bound at work?
  double f(double t) const { return 0.5 * (t - 1.0) * (t - 1.0) + (t > 0 ? t * std::log(t) : 0.0); }  ///< generator
  double derivative(double t) const { return t + std::log(t); }                                       ///< f'
  double minimizer() const { return 0.56714329040978387; }      ///< the omega constant: both may fall
  double least_slope() const { return -detail::infinity; }      ///< induces a loss
  double increasing_until() const { return detail::infinity; }  ///< convex
  double greatest_slope() const { return detail::infinity; }    ///< unbounded
};

/// f = (log t)^2 / 2, SquaredPO's: h = a exp(-a), dh/da = (1 - a) exp(-a). Not convex: f' rises to 1/e at t = e and
/// falls after. The factor exp(-a) is bounded at exp(`exponent_limit`) and taken for a constant there, so that
/// dh/da = exp(limit).
struct SquaredLog {
  double exponent_limit = 50.0;  ///< > 0

  /// h and dh/da.
  Score score(double a) const {
    const double e = exponential(std::min(-a, exponent_limit));
    return {a * e, -a > exponent_limit ? e : (1.0 - a) * e};
  }
  bool clips(double a) const { return -a > exponent_limit; }            ///< whether the bound is at work
  double f(double t) const { return 0.5 * std::log(t) * std::log(t); }  ///< the generator
  double derivative(double t) const { return std::log(t) / t; }         ///< f'
  double minimizer() const { return 1.0; }                              ///< 1
  double least_slope() const { return -detail::infinity; }              ///< induces a loss
  double increasing_until() const { return std::exp(1.0); }             ///< e: not convex
  double greatest_slope() const { return std::exp(-1.0); }              ///< 1/e, at t = e
};

}  // namespace mellow::preference
