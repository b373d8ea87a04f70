// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace mellow::preference {

/// How far a log-probability may exceed 0 by rounding.
inline constexpr double log_prob_rounding = 1e-3;

/// What was measured of a pair at a checkpoint of its training, as a row of a file. Log-probabilities are sums over the
/// response's tokens, finite and not positive. What is optional is given of all rows or of none.
struct PairRecord {
  std::int64_t step = 0;  ///< of the checkpoint, >= 0; 0 is before training
  std::string pair{};     ///< its name
  double chosen = 0;      ///< log pi(y_w | x)
  double rejected = 0;    ///< log pi(y_l | x)
  /// @{
  /// log pi_ref(y_w | x) and log pi_ref(y_l | x), both or neither.
  std::optional<double> reference_chosen{}, reference_rejected{};
  /// @}
  /// @{
  /// Tokens of the responses, > 0 and the same at all checkpoints, both or neither.
  std::optional<double> chosen_tokens{}, rejected_tokens{};
  /// @}
  std::optional<bool> clipped{};          ///< whether a bound of the loss was at work
  std::optional<double> out_of_sample{};  ///< probability of the responses to x that are in no pair, where it is known
};

}  // namespace mellow::preference
