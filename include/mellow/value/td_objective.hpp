// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cmath>
#include <concepts>
#include <utility>

#include <mellow/core/error.hpp>
#include <mellow/value/force_constants.hpp>

namespace mellow::value {

/// Offers the gradient, in the online parameters w, of an objective H(theta, w) that the target parameters theta shift;
/// exactly or as an unbiased estimate:
///
///     H::Scalar                  of parameters
///     grad_w(theta, w)           dH(theta, w)/dw
template <class H>
concept TdGradient = requires(H& h, const Vector<typename H::Scalar>& theta) {
  { h.grad_w(theta, theta) } -> std::convertible_to<Vector<typename H::Scalar>>;
};

/// An objective H(theta, w) of temporal-difference learning (Asadi et al. 2023, section 6): a `TdGradient` and
///
///     parameters()               how many numbers theta and w have
///     argmin_w(theta)            the w of least H(theta, w)
///     force_constants()          F_w, F_theta and L
///
/// `ExpectedTd` is the quadratic one of linear values, `ConvexTd` has other losses and control.
template <class H>
concept TdObjective = TdGradient<H> && requires(const H& h, const Vector<typename H::Scalar>& theta) {
  { h.parameters() } -> std::convertible_to<Index>;
  { h.argmin_w(theta) } -> std::convertible_to<Vector<typename H::Scalar>>;
  { h.force_constants() } -> std::same_as<ForceConstants<typename H::Scalar>>;
};

/// An update of the target by exact minimisation, theta' = argmin_w H(theta, w): algorithm 1 of Asadi et al. 2023,
/// fitted value iteration.
struct ExactUpdate {
  /// theta'.
  template <TdObjective H>
  Vector<typename H::Scalar> operator()(const H& h, const Vector<typename H::Scalar>& theta) const {
    return h.argmin_w(theta);
  }
};

/// An update of the target by K gradient steps: w = theta, K times w <- w - alpha dH(theta, w)/dw, theta' = w:
/// algorithm 2 of Asadi et al. 2023. K = 1 is TD without a target network.
struct GradientUpdate {
  Index steps = 1;             ///< K, > 0
  double learning_rate = 0.1;  ///< alpha, > 0; the theory takes `ForceConstants::learning_rate()`

  /// Throws Error for a number out of range.
  void validate() const {
    require(steps > 0, "value::GradientUpdate", "steps must be positive", steps);
    require(std::isfinite(learning_rate) && learning_rate > 0, "value::GradientUpdate",
            "learning_rate must be positive and finite", learning_rate);
  }

  /// theta'.
  template <TdGradient H>
  Vector<typename H::Scalar> operator()(H& h, const Vector<typename H::Scalar>& theta) const {
    using Scalar = typename H::Scalar;
    Vector<Scalar> w = theta;
    for (Index k = 0; k < steps; ++k) w -= static_cast<Scalar>(learning_rate) * h.grad_w(theta, w);
    return w;
  }
};

/// How long a target is updated.
struct TdIterationOptions {
  Index updates = 10'000;    ///< T, the most target updates, > 0
  double tolerance = 1e-10;  ///< ends where |dH/dw(theta, theta)| is at most this, >= 0
  double limit = 1e12;       ///< ends as diverged where |theta| exceeds this, > 0

  /// Throws Error for a number out of range.
  void validate() const {
    constexpr auto where = "value::TdIterationOptions";
    require(updates > 0, where, "updates must be positive", updates);
    require(tolerance >= 0, where, "tolerance must not be negative", tolerance);
    require(limit > 0, where, "limit must be positive", limit);
  }
};

/// Where repeated updates of a target ended.
template <class Scalar>
struct TdIteration {
  Vector<Scalar> theta;    ///< the last target
  Index updates = 0;       ///< how many were done
  Scalar residual = 0;     ///< |dH/dw(theta, theta)|: 0 at the fixed point
  bool converged = false;  ///< the residual is at most the tolerance
  bool diverged = false;   ///< theta exceeds the limit or is not finite
};

/// Updates the target from theta until |dH/dw(theta, theta)| is small, theta grows beyond all bounds or the updates are
/// used up: algorithms 1 and 2 of Asadi et al. 2023, by the update that is given.
///
/// `on_update(n, theta)` is called with each target, the first included (n = 0). Throws Error for numbers out of range
/// or a theta of another length.
template <TdObjective H, class Update, class OnUpdate>
TdIteration<typename H::Scalar> td_iteration(const H& h, Vector<typename H::Scalar> theta, const Update& update,
                                             const TdIterationOptions& options, OnUpdate&& on_update) {
  options.validate();
  if constexpr (requires { update.validate(); }) update.validate();
  require(theta.size() == h.parameters(), "value::td_iteration",
          fmt::format("theta must have {} numbers", h.parameters()), theta.size());
  TdIteration<typename H::Scalar> run{.theta = std::move(theta)};
  for (;; ++run.updates) {
    on_update(run.updates, std::as_const(run.theta));
    run.residual = h.grad_w(run.theta, run.theta).norm();
    run.converged = run.residual <= static_cast<typename H::Scalar>(options.tolerance);
    run.diverged = !(run.theta.norm() <= static_cast<typename H::Scalar>(options.limit));  // NaN is none
    if (run.converged || run.diverged || run.updates == options.updates) return run;
    run.theta = update(h, run.theta);
  }
}
/// The same without watching.
template <TdObjective H, class Update>
TdIteration<typename H::Scalar> td_iteration(const H& h, Vector<typename H::Scalar> theta, const Update& update,
                                             const TdIterationOptions& options = {}) {
  return td_iteration(h, std::move(theta), update, options, [](Index, const Vector<typename H::Scalar>&) {});
}

}  // namespace mellow::value
