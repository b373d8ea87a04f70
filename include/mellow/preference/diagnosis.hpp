// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <mellow/statistics/estimate.hpp>

namespace mellow::preference {

/// Which way a median moved, as far as its interval can tell.
enum class Direction {
  Fell,     ///< the interval lies below 0
  Unclear,  ///< it holds 0
  Rose      ///< it lies above 0
};

/// What a checkpoint says of all pairs. a_w and a_l are log pi of the chosen and the rejected response less what it was
/// at the start.
struct CheckpointDiagnosis {
  std::int64_t step = 0;                   ///< of the checkpoint
  statistics::Estimate chosen_median{};    ///< of a_w
  statistics::Estimate chosen_mean{};      ///< of a_w
  statistics::Estimate rejected_median{};  ///< of a_l
  statistics::Estimate rejected_mean{};    ///< of a_l
  statistics::Estimate chosen_fell{};      ///< share of pairs with a_w < 0
  statistics::Estimate rejected_fell{};    ///< share of pairs with a_l < 0
  statistics::Estimate accuracy{};         ///< share of pairs with a_w > a_l
  statistics::Estimate pair_mass{};        ///< median of g = log(pi_w + pi_l) - log(start_w + start_l)
  statistics::Estimate out_of_sample{};    ///< mean probability of responses in no pair, or its bound
  double saturated = 0;                    ///< share of pairs with sigma(-beta (a_w - a_l)) below the threshold
  std::optional<double> clipped{};         ///< share of pairs at a bound of the loss, where that was recorded
};

/// What a training on preference pairs did to the probability of their responses (see `diagnose`).
struct Diagnosis {
  std::int64_t pairs = 0;            ///< how many
  bool has_reference = false;        ///< whether the start is the reference, else the first checkpoint
  std::int64_t start = 0;            ///< its step
  double beta = 0;                   ///< of the margin beta (a_w - a_l)
  double saturation = 0;             ///< threshold of a gradient that has vanished
  double confidence = 0;             ///< of the intervals; those of shares are at 95 %
  bool out_of_sample_known = false;  ///< whether out_of_sample is what it is called, else its bound
  std::optional<statistics::Estimate> out_of_sample_at_start{};  ///< mean, where it is known
  std::vector<CheckpointDiagnosis> checkpoints{};                ///< without the start, one at least
  statistics::Estimate always_fell{};      ///< share of pairs whose chosen response fell at every checkpoint
  std::vector<std::string> fell_always{};  ///< the names of those pairs
  std::optional<statistics::Estimate> kept_falling{};  ///< share of those that fell first which fell at every later one
  std::optional<statistics::Estimate> last_change{};   ///< median change of log pi(y_w) since the checkpoint before
  std::optional<statistics::Estimate>
      length_bias{};  ///< correlation of a_w - a_l with n_w - n_l, where these are known

  const CheckpointDiagnosis& last() const { return checkpoints.back(); }  ///< the end

  /// Where an estimate lies.
  static Direction direction(const statistics::Estimate& of) {
    return of.high < 0 ? Direction::Fell : of.low > 0 ? Direction::Rose : Direction::Unclear;
  }

  /// Whether the chosen responses lost probability: their median at the end fell.
  bool displaced() const { return direction(last().chosen_median) == Direction::Fell; }

  /// One plain sentence on what happened.
  std::string sentence() const;

  /// What else to know, each a sentence: accuracy, saturation, clipping, length bias. Often none.
  std::vector<std::string> warnings() const;

 private:
  std::string where_mass_went() const;
};

namespace detail {
inline std::string percent(double share) { return fmt::format("{:.3g} %", 100 * share); }

inline std::string plain(const statistics::Estimate& of) { return fmt::format("{:+.3g}", of); }
}  // namespace detail

inline std::string Diagnosis::where_mass_went() const {
  const double after = last().out_of_sample.value;
  const std::string name =
      out_of_sample_known ? "the probability of responses in no pair" : "the probability left for all other responses";
  if (!out_of_sample_at_start) return fmt::format("{} is {:.2f} at the end", name, after);
  if (const double before = out_of_sample_at_start->value; std::abs(after - before) >= 0.005)
    return fmt::format("{} went from {:.2f} to {:.2f}", name, before, after);
  const auto mass = direction(last().pair_mass);
  if (mass == Direction::Unclear) return "the probability of a pair together did not clearly change";
  const double g = std::abs(last().pair_mass.value), digits = g / 2.302585092994046;
  return fmt::format("a pair together {} probability by a factor of {} in the median",
                     mass == Direction::Fell ? "lost" : "gained",
                     digits < 4 ? fmt::format("{:.3g}", std::exp(g)) : fmt::format("10^{:.0f}", digits));
}

inline std::string Diagnosis::sentence() const {
  const auto& end = last();
  const Direction chosen = direction(end.chosen_median), rejected = direction(end.rejected_median);
  const std::string change = fmt::format("median change of log pi {}", detail::plain(end.chosen_median));
  std::string text;
  if (chosen == Direction::Fell) {
    text = fmt::format("Displacement: the chosen responses lost probability ({}; {} of the {} pairs fell", change,
                       detail::percent(end.chosen_fell.value), pairs);
    if (checkpoints.size() > 1) text += fmt::format(", {} at every checkpoint", detail::percent(always_fell.value));
    text += ")";
    if (rejected == Direction::Fell)
      text += fmt::format(", the rejected ones {} ({})",
                          end.rejected_median.value < end.chosen_median.value   ? "even more"
                          : end.rejected_median.value > end.chosen_median.value ? "too, but less"
                                                                                : "as much",
                          detail::plain(end.rejected_median));
    else
      text += fmt::format(", and the rejected ones {} ({})",
                          rejected == Direction::Rose ? "gained it" : "did not clearly move",
                          detail::plain(end.rejected_median));
  } else {
    const bool both = chosen == rejected;
    const std::string verbs[] = {"lost probability", "did not clearly move", "gained probability"};
    const bool wanted = chosen == Direction::Rose && rejected == Direction::Fell;
    text = fmt::format("{}he chosen responses {} ({}; {} of the {} pairs fell) and the rejected ones {} ({})",
                       wanted ? "As wanted, t" : "T", verbs[static_cast<int>(chosen)], change,
                       detail::percent(end.chosen_fell.value), pairs,
                       both ? chosen == Direction::Rose ? "did so too" : "neither" : verbs[static_cast<int>(rejected)],
                       detail::plain(end.rejected_median));
  }
  text += "; " + where_mass_went();
  if (chosen == Direction::Fell && last_change)
    text += direction(*last_change) == Direction::Fell ? ", and the decline goes on" : ", and the decline has stopped";
  return text + ".";
}

inline std::vector<std::string> Diagnosis::warnings() const {
  const auto& end = last();
  std::vector<std::string> found;
  if (end.accuracy.value <= 0.5)
    found.push_back(
        fmt::format("The pairs are not in order: in {} alone did the chosen response gain on the rejected one.",
                    detail::percent(end.accuracy.value)));
  if (end.saturated >= 0.5)
    found.push_back(
        fmt::format("Saturated: in {} of the pairs sigma(-beta (a_w - a_l)) is below {:g}, so that a "
                    "logistic loss has all but no gradient there.",
                    detail::percent(end.saturated), saturation));
  double clipped = 0;
  for (const auto& checkpoint : checkpoints) clipped = std::max(clipped, checkpoint.clipped.value_or(0));
  if (clipped > 0)
    found.push_back(
        fmt::format("Clipped: a bound of the loss was at work in up to {} of the pairs at a checkpoint; "
                    "the gradient there is not the loss's own.",
                    detail::percent(clipped)));
  if (length_bias && direction(*length_bias) != Direction::Unclear)
    found.push_back(
        fmt::format("Length: the {} the chosen response is beside the rejected one, the more it gained on it "
                    "(correlation {}).",
                    length_bias->value > 0 ? "longer" : "shorter", detail::plain(*length_bias)));
  return found;
}

}  // namespace mellow::preference
