// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <limits>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <mellow/statistics/scores.hpp>
#include <mellow/tools/plot.hpp>
#include <mellow/value/replicate.hpp>
#include <mellow/value/reset_optimizer.hpp>
#include <mellow/value/tracking.hpp>

#include "../suite/any_part.hpp"
#include "../suite/estimates.hpp"
#include "target_change_figures.hpp"

/// Deep Q agents on MinAtar: shared by the papers that change how a target is followed, or an optimiser's memory of it.
namespace mellow::suite {

/// A game, and what its scores are measured by.
struct MinatarGame {
  std::string name;  ///< "Breakout"
  double random;     ///< mean return of a uniformly random player
  double reference;  ///< what the published DQN reaches in 5 million frames

  double normalized(double score) const { return (score - random) / (reference - random); }
};

/// @{
/// Of minatar.md, sections 7 and 8.
inline const MinatarGame breakout{.name = "Breakout", .random = 0.54, .reference = 10};
inline const MinatarGame asterix{.name = "Asterix", .random = 0.53, .reference = 17};
inline const MinatarGame space_invaders{.name = "SpaceInvaders", .random = 2.92, .reference = 44};
/// @}

/// What is changed of Dopamine's agent, the simplified Rainbow: C51, three-step returns, prioritised replay.
struct MinatarArm {
  using Tracking = AnyTracking<value::PeriodicCopy, value::Polyak, value::Replicate<>>;

  std::string name;  ///< with all numbers that make it
  Tracking tracking{
      {.chosen = value::PeriodicCopy{.every = 250}}};     ///< in updates, of which there is one in four frames
  double pull = std::numeric_limits<double>::infinity();  ///< c of Proximal
  std::optional<value::ResetOptimizer> reset{};           ///< what the optimiser forgets, and when
  double noise = 0;                                       ///< deviation of TargetNoise
  Index target_filters = 16;                              ///< the online network has 16
};

/// @{
/// The arms of the papers.
MinatarArm minatar_copy(Index every = 250);  ///< "copy every 250": the agent as it is
MinatarArm minatar_pro(double c);
MinatarArm minatar_polyak(double tau);
MinatarArm minatar_replicate(Index steps, bool all_actions = true);
MinatarArm minatar_replicate_to(Index filters, Index steps);  ///< a target network of other filters, all actions
MinatarArm minatar_reset(Index every, nn::Moments moments, std::string what);  ///< at each change of the target
MinatarArm with_noise(MinatarArm arm, double deviation);                       ///< the same, its targets noisy
/// @}

/// Into how many equal parts a curve divides the frames.
inline constexpr Index minatar_parts = 20;

/// @{
/// The names of figures. Returns are those of training episodes.
inline const std::string minatar_score = "score";  ///< mean return of the last tenth of the frames
inline const std::string minatar_area = "area";    ///< mean of the curve
std::string minatar_return(Index part);            ///< the curve: mean return of the episodes that ended in a part
inline const std::string target_movement =
    "target movement";  ///< mean |theta_{t+1} - theta_t|, second half of training
/// Half a period after the last change of the target: |w|, |theta|, |theta - w|, and the mean KL(p_w || p_theta) over
/// states as the replay draws them, all actions.
inline const std::string online_norm = "online norm", target_norm = "target norm",
                         network_distance = "network distance", function_gap = "function gap";
/// @}

/// One arm in one game, at all seeds.
struct MinatarRuns {
  MinatarGame game;
  Index frames;
  std::string arm;
  std::vector<Figures> seeds;

  std::vector<double> operator()(const std::string& metric) const;  ///< a figure, a number a seed
  std::vector<double> normalized(const std::string& metric) const;  ///< of returns, as `game` has it
  /// Mean return over seeds, with its interval.
  tools::Series curve(const std::string& label) const;
};

/// What is to be run.
struct MinatarPlan {
  MinatarGame game;
  Index frames;
  Index seeds;
  std::vector<MinatarArm> arms;
  std::uint64_t first_seed = 0;  ///< of run 0; the others follow
};

/// The name under which the runs of a game are kept.
std::string minatar_experiment(const MinatarGame& game, Index frames);

/// Runs the arms of plans, a seed at a time, so that what there is of a campaign that was interrupted is balanced.
std::vector<MinatarRuns> run_minatar(Study& study, const std::string& what, const std::vector<MinatarPlan>& plans);

/// Of these, the one of a game and an arm. Throws Error where there is none.
const MinatarRuns& runs_of(const std::vector<MinatarRuns>& all, const MinatarGame& game, const std::string& arm);

/// The runs of the published DQN (Young & Tian 2019), all six actions, one update a frame; with the pull of DQN Pro where
/// asked for, of the strength by its authors' rule.
MinatarRuns run_published_dqn(Study& study, const MinatarGame& game, Index frames, Index seeds, bool pro = false);

}  // namespace mellow::suite
