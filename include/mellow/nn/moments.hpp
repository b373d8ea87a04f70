// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace mellow::nn {

/// What an optimiser is told to forget of earlier gradients: any subset of its first moment, its second moment and its
/// counters (Asadi, Fakoor & Sabach 2023). Each moment has a counter of its own, by which its bias is corrected, and is
/// forgotten together with it: with one shared counter the first step after a partial reset would be ten times too
/// long or thirty times too short.
///
///     state.forget({});                  // all of it: the next step is a first step
///     state.forget({.second = false});   // the first moment alone
///
/// What an optimiser does not have is not forgotten: without momentum, Sgd does nothing. The learning rate's clock
/// always goes on.
struct Moments {
  bool first = true;      ///< the mean of gradients, or momentum, with its counter
  bool second = true;     ///< what steps are divided by: the mean or sum of squares, with its counter
  bool counters = false;  ///< the counters of both, also where the moments are kept

  /// Keeps both moments and takes them for young: Adam-Rel (Ellis et al. 2024, arXiv 2412.17113).
  static constexpr Moments counters_only() { return {.first = false, .second = false, .counters = true}; }
};

}  // namespace mellow::nn
