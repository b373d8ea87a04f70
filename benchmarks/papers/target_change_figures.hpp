// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <fmt/format.h>

#include <string>

#include <mellow/value/target_change_diagnosis.hpp>

#include "../suite/estimates.hpp"

/// The figures of a `TargetChangeDiagnosis`: what changes of the target do to gradient, momentum and step.
namespace mellow::suite {

/// @{
/// Their names; what they are, the diagnosis says.
inline const std::string cosine_before = "cosine before", cosine_including = "cosine including",
                         cosine_after = "cosine after", norm_ratio = "norm ratio", small_share = "small share";
/// Length of an update's step, counted from 0 after the change.
inline std::string step_norm(std::size_t update) { return fmt::format("step {:02}", update + 1); }
/// @}

/// Adds all of them.
template <class Scalar>
void add_target_change(Figures& figures, const value::TargetChangeDiagnosis::State<Scalar>& found) {
  const auto add = [&](const std::string& metric, const RunningMean& mean) {
    figures.push_back({metric, rounded(mean.mean())});
  };
  add(cosine_before, found.cosine_before);
  add(cosine_including, found.cosine_including);
  add(cosine_after, found.cosine_after);
  add(norm_ratio, found.norm_ratio);
  add(small_share, found.small_share);
  for (std::size_t i = 0; i < found.step_norms.size(); ++i) add(step_norm(i), found.step_norms[i]);
}

}  // namespace mellow::suite
