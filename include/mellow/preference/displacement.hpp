// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cmath>
#include <span>
#include <string_view>

#include <mellow/core/error.hpp>
#include <mellow/core/rng.hpp>
#include <mellow/core/types.hpp>
#include <mellow/preference/diagnosis.hpp>
#include <mellow/preference/elementary.hpp>
#include <mellow/preference/pair_history.hpp>
#include <mellow/statistics/aggregates.hpp>
#include <mellow/statistics/bootstrap.hpp>
#include <mellow/statistics/correlation.hpp>
#include <mellow/statistics/share.hpp>

namespace mellow::preference {

/// The numbers of a diagnosis.
struct DisplacementOptions {
  double beta = 0.1;  ///< of the loss, > 0; scales the margin that saturates
  double saturation =
      0.01;  ///< sigma(-beta (a_w - a_l)) below which a gradient has vanished (at the start it is 1/2), in (0, 0.5)
  statistics::BootstrapOptions bootstrap{};  ///< of the intervals, over pairs

  /// Throws Error for a number out of range.
  void validate() const {
    constexpr auto where = "preference::DisplacementOptions";
    require(std::isfinite(beta) && beta > 0, where, "beta must be positive and finite", beta);
    require(saturation > 0 && saturation < 0.5, where, "saturation must lie between 0 and 0.5", saturation);
    bootstrap.validate();
  }
};

/// The probability that a policy gives to responses that are in no pair, where a prompt has finitely many:
/// sum_{y not in S} pi(y | x), from the log-probabilities of all responses and the numbers of those in S. Throws Error
/// for a number that is no response or comes twice.
inline double out_of_sample_mass(const ConstVectorRef<double>& log_probs, std::span<const Index> in_sample) {
  constexpr auto where = "preference::out_of_sample_mass";
  std::vector<bool> seen(static_cast<std::size_t>(log_probs.size()));
  for (const Index y : in_sample) {
    if (y < 0 || y >= log_probs.size())
      throw Error(where, fmt::format("a response in sample must be from 0 to {}", log_probs.size() - 1), y);
    require(!seen[static_cast<std::size_t>(y)], where, "a response in sample comes twice", y);
    seen[static_cast<std::size_t>(y)] = true;
  }
  double mass = 0;
  for (Index y = 0; y < log_probs.size(); ++y)
    if (!seen[static_cast<std::size_t>(y)]) mass += std::exp(log_probs[y]);
  return std::min(mass, 1.0);
}

/// Says what a training did to the probability of the responses of its pairs. DPO and its kin pin down the difference
/// of two log-ratios, so that both responses may lose probability while the loss falls: displacement (Asadi et al.
/// 2026, Pipano et al. 2026).
///
///     a_w = log pi(y_w | x) - log start(y_w | x),  a_l alike      start: the reference, or the first checkpoint
///     g = log(pi(y_w | x) + pi(y_l | x)) - log(start(y_w | x) + start(y_l | x))
///     out of sample: 1 - sum_{y in S_x} pi(y | x), S_x the responses of x in pairs; as recorded, or else its bound
///                    1 - pi(y_w | x) - pi(y_l | x), which is exact where a prompt has one pair
///     saturated: sigma(-beta (a_w - a_l)) < saturation
///
/// A chosen response fell at every checkpoint where log pi(y_w | x) is smaller at each than at the one before. The
/// checkpoint of step 0 is the start and not counted; where there is none, the reference stands for it, or, without a
/// reference, the first checkpoint does. `kept_falling` is the statistic of SquaredPO's paper. Intervals come from a
/// bootstrap over pairs, those of shares are Wilson's at 95 %; pairs of one prompt are not independent, and make them
/// too narrow. Throws Error, naming `where`, for fewer than three pairs, no checkpoint after the start and a history
/// whose columns do not fit, and Error for options out of range.
inline Diagnosis diagnose(const PairHistory& history, Rng& rng, const DisplacementOptions& options = {},
                          std::string_view where = "preference::diagnose") {
  options.validate();
  history.validate(where);
  const Index n = history.size(), all = history.checkpoints();
  require(n > 2, where, "there must be three pairs", n);
  const bool has_reference = history.reference_chosen.size() > 0;
  const bool reference_is_first = has_reference && history.steps.front() > 0;
  const Index first = reference_is_first ? 0 : 1;
  require(all > first, where, "there must be a checkpoint after the start", all);

  const auto estimate = [&](const Vector<double>& values, const auto& statistic) {
    return statistics::bootstrap(values, statistic, rng, options.bootstrap);
  };
  const auto share = [n](const auto& flags) { return statistics::share(flags.count(), n); };
  const auto start_of = [&](const Matrix<double>& log_probs, const Matrix<double>& reference, Index k) {
    return Vector<double>(has_reference ? reference.col(k) : log_probs.col(0));
  };
  const auto outside = [&](const Vector<double>& l_w, const Vector<double>& l_l) {
    return Vector<double>((1.0 - l_w.array().exp() - l_l.array().exp()).cwiseMax(0.0));
  };

  Diagnosis found{.pairs = n,
                  .has_reference = has_reference,
                  .start = reference_is_first ? 0 : history.steps.front(),
                  .beta = options.beta,
                  .saturation = options.saturation,
                  .confidence = options.bootstrap.confidence,
                  .out_of_sample_known = history.out_of_sample.size() > 0};
  if (!found.out_of_sample_known)
    found.out_of_sample_at_start = estimate(outside(start_of(history.chosen, history.reference_chosen, 0),
                                                    start_of(history.rejected, history.reference_rejected, 0)),
                                            statistics::Mean{});
  else if (!reference_is_first)  // the reference's is not recorded
    found.out_of_sample_at_start = estimate(history.out_of_sample.col(0), statistics::Mean{});

  using Flags = Eigen::Array<bool, Eigen::Dynamic, 1>;
  Flags always = Flags::Constant(n, true), at_first = always;
  Vector<double> before = reference_is_first ? history.reference_chosen.col(0) : history.chosen.col(0), change, margin;
  for (Index k = first; k < all; ++k) {
    const Vector<double> l_w = history.chosen.col(k), l_l = history.rejected.col(k);
    const Vector<double> start_w = start_of(history.chosen, history.reference_chosen, k),
                         start_l = start_of(history.rejected, history.reference_rejected, k);
    const Vector<double> a_w = l_w - start_w, a_l = l_l - start_l;
    change = l_w - before;
    margin = a_w - a_l;
    const Flags fell = change.array() < 0;
    always = always && fell;
    if (k == first) at_first = fell;
    Vector<double> mass(n);
    Index saturated = 0;
    for (Index i = 0; i < n; ++i) {
      mass[i] = log_add_exp(l_w[i], l_l[i]) - log_add_exp(start_w[i], start_l[i]);
      saturated += sigmoid(-options.beta * margin[i]) < options.saturation ? 1 : 0;
    }
    CheckpointDiagnosis at{.step = history.steps[static_cast<std::size_t>(k)]};
    at.chosen_median = estimate(a_w, statistics::Median{});
    at.chosen_mean = estimate(a_w, statistics::Mean{});
    at.rejected_median = estimate(a_l, statistics::Median{});
    at.rejected_mean = estimate(a_l, statistics::Mean{});
    at.chosen_fell = share(a_w.array() < 0);
    at.rejected_fell = share(a_l.array() < 0);
    at.accuracy = share(margin.array() > 0);
    at.pair_mass = estimate(mass, statistics::Median{});
    at.out_of_sample =
        estimate(found.out_of_sample_known ? Vector<double>(history.out_of_sample.col(k)) : outside(l_w, l_l),
                 statistics::Mean{});
    at.saturated = static_cast<double>(saturated) / static_cast<double>(n);
    if (history.clipped.size() > 0) at.clipped = history.clipped.col(k).mean();
    found.checkpoints.push_back(at);
    before = l_w;
  }
  found.always_fell = share(always);
  for (Index i = 0; i < n; ++i)
    if (always[i]) found.fell_always.push_back(history.pairs[static_cast<std::size_t>(i)]);
  if (all - first > 1) {
    if (at_first.any()) found.kept_falling = statistics::share(always.count(), at_first.count());
    found.last_change = estimate(change, statistics::Median{});
  }
  if (history.chosen_tokens.size() > 0)
    found.length_bias = statistics::bootstrap_correlation(margin, history.chosen_tokens - history.rejected_tokens, rng,
                                                          options.bootstrap);
  return found;
}

}  // namespace mellow::preference
