// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <string>
#include <vector>

#include <mellow/statistics/estimate.hpp>

#include "study.hpp"

namespace mellow::suite {

/// Whether a paper's claim shows here. Open: so few runs leave it open, their interval has values on both sides.
enum class Verdict { Holds, DoesNotHold, Open, NotTestable };

/// A claim of a paper, beside what was found.
struct Claim {
  std::string claim;                       ///< one sentence that can be true or false
  std::string paper;                       ///< the paper's figure, in its own words: "0 of 200"; "none given"
  std::string measured;                    ///< what `ours` is: "difference of the spreads of Q(s1, b)"
  statistics::Estimate ours;               ///< with a 95 % interval; of no width where nothing is random
  Verdict verdict = Verdict::NotTestable;  ///< by the criterion of the paper's page in docs/papers
  std::string note{};                      ///< where a reader should know more
};

/// A paper whose claims the suite can test.
struct Paper {
  std::string name;                                     ///< by which it is asked for: "mellowmax"
  std::string title;                                    ///< of the paper, with authors and year
  std::function<std::vector<Claim>(Study&)> reproduce;  ///< runs its experiments, draws plots into the study's folder
};

/// @{
/// The papers, each in benchmarks/papers/<name>.cpp.
Paper action_generalization();
Paper c2_dpo();
Paper dqn_pro();
Paper lookahead_replicate();
Paper mellowmax();
Paper minatar();
Paper optimizer_reset();
Paper squared_po();
Paper td_convergence();
/// @}

/// All of them, by name.
std::vector<Paper> papers();

}  // namespace mellow::suite
