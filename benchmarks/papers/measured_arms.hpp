// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <functional>
#include <string>
#include <vector>

#include <mellow/core/error.hpp>

#include "../suite/paper.hpp"

/// What is compared in an experiment, run at all seeds, and its figures by name.
namespace mellow::suite {

/// One of several ways that are compared.
struct Arm {
  std::string name;                         ///< "copy", with all numbers that make it
  std::function<Figures(Index seed)> work;  ///< one run of it
  std::string identity{};                   ///< what its figures depend on besides what the arms share
};

/// The figures of arms.
class MeasuredArms {
 public:
  /// Runs all arms of an experiment at seeds 0 .. seeds - 1. `identity`: what they share, and their figures depend on.
  MeasuredArms(Study& study, const std::string& experiment, const std::string& identity, Index seeds,
               const std::vector<Arm>& arms)
      : seeds_(seeds) {
    std::vector<Run> runs;
    for (const Arm& arm : arms) {
      names_.push_back(arm.name);
      for (Index seed = 0; seed < seeds; ++seed)
        runs.push_back({.experiment = experiment,
                        .setting = arm.name,
                        .number = seed,
                        .identity = arm.identity.empty() ? identity : identity + "; " + arm.identity,
                        .work = [work = arm.work, seed] { return work(seed); }});
    }
    figures_ = study.measure(experiment, runs);
  }

  Index seeds() const { return seeds_; }                            ///< runs of each arm
  const std::vector<std::string>& names() const { return names_; }  ///< of the arms

  /// A figure of an arm, a number a seed. Throws Error where there is no such arm.
  std::vector<double> operator()(const std::string& arm, const std::string& metric) const {
    std::vector<double> values;
    for (Index seed = 0; seed < seeds_; ++seed) values.push_back(figure(figures(arm, seed), metric));
    return values;
  }
  /// The same of an arm that was run once.
  double of(const std::string& arm, const std::string& metric) const { return (*this)(arm, metric).front(); }
  /// All figures of a run. Throws Error where there is no such arm.
  const Figures& figures(const std::string& arm, Index seed) const {
    const auto at = std::ranges::find(names_, arm);
    if (at == names_.end()) throw Error("MeasuredArms", "there is no such arm", arm);
    return figures_[static_cast<std::size_t>((at - names_.begin()) * seeds_ + seed)];
  }

 private:
  Index seeds_;
  std::vector<std::string> names_;
  std::vector<Figures> figures_;
};

}  // namespace mellow::suite
