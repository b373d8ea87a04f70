// SPDX-License-Identifier: Apache-2.0
#include "minatar_runs.hpp"

#include <cmath>

#include <mellow/core/error.hpp>
#include <mellow/data/prioritized_replay.hpp>
#include <mellow/data/uniform_replay.hpp>
#include <mellow/nn/adam.hpp>
#include <mellow/nn/minatar_network.hpp>
#include <mellow/nn/rmsprop.hpp>
#include <mellow/nn/variance_scaling.hpp>
#include <mellow/training/run.hpp>
#include <mellow/value/categorical_head.hpp>
#include <mellow/value/dqn.hpp>
#include <mellow/value/proximal.hpp>
#include <mellow/value/target_change_diagnosis.hpp>
#include <mellow/value/target_movement.hpp>
#include <mellow/value/target_noise.hpp>

#include "../suite/environments.hpp"

namespace mellow::suite {
namespace {

/// Sums returns of training episodes by parts of the frames.
class Curve {
 public:
  explicit Curve(Index frames) : frames_(frames), sums_(minatar_parts, 0.0), counts_(minatar_parts, 0) {}

  void on_episode(const training::RunStatus& status) {
    if (status.step > frames_) return;
    const auto part = static_cast<std::size_t>((status.step - 1) * minatar_parts / frames_);
    sums_[part] += status.episode_return;
    ++counts_[part];
  }

  /// Score, area and curve; a part in which no episode ended continues the one before.
  Figures figures() const {
    Figures all;
    double mean = 0, area = 0, late_sum = 0, late_count = 0;
    for (std::size_t part = 0; part < sums_.size(); ++part) {
      const auto count = static_cast<double>(counts_[part]);
      if (count > 0) mean = sums_[part] / count;
      area += mean / minatar_parts;
      if (part >= sums_.size() * 9 / 10) late_sum += sums_[part], late_count += count;
      all.push_back({minatar_return(static_cast<Index>(part)), rounded(mean)});
    }
    all.push_back({minatar_score, rounded(late_count > 0 ? late_sum / late_count : mean)});
    all.push_back({minatar_area, rounded(area)});
    return all;
  }

 private:
  Index frames_;
  std::vector<double> sums_;
  std::vector<Index> counts_;
};

Control environment_of(const MinatarGame& game, const char* version) {
  return std::get<Control>(EnvironmentConfig("MinAtar/" + game.name + version).make());
}

Index channels_of(const Control& environment) { return environment.observation_space().size() / 100; }

/// Mean KL(p_w || p_theta) over states of the replay and all actions.
template <class Learner>
double gap_of(Learner& learner, Rng& rng) {
  constexpr Index batches = 32;
  double sum = 0;
  for (Index i = 0; i < batches; ++i) {
    learner.replay.sample(learner.replay_state, learner.batch, rng);
    const auto& online = learner.network.forward(learner.online, learner.batch.observations, learner.tape);
    const auto& target =
        learner.target_network.forward(learner.target, learner.batch.observations, learner.target_tape);
    const auto distance = [&](const auto& outputs) -> double {
      return learner.head.template distance<float>(outputs, online, {}, learner.d_outputs);
    };
    sum += distance(target) - distance(online);  // the cross-entropy's least value is the entropy
  }
  return sum / batches;
}

constexpr auto agent_identity =
    "Dopamine's C51 on MinAtar, minimal actions: 16 filters of 3 x 3, same padding, linear head, Glorot; 51 atoms in "
    "[-100, 100]; 3-step returns; prioritised replay of 100 000, alpha 0.5, beta 0.5; Adam 2.5e-4, epsilon 3.125e-4; "
    "batch 32, an update in 4 frames from frame 1 000; epsilon to 0.05 over a fifth of the frames; discount 0.99; "
    "networks are compared 500 frames after the end";

/// Half of the period of 250 updates, by which training goes on before networks are compared: at the end itself the
/// target would have been changed an update ago.
constexpr Index half_a_period = 500;

Figures run_arm(const MinatarGame& game, const MinatarArm& arm, Index frames, std::uint64_t seed) {
  const Control environment = environment_of(game, "-v1");
  const value::CategoricalHead head{.v_min = -100, .v_max = 100};
  const nn::Adam adam{.learning_rate = 2.5e-4, .epsilon = 3.125e-4};
  MinatarArm::Tracking tracking = arm.tracking;
  if (auto* replicate = std::get_if<value::Replicate<>>(&tracking.chosen)) replicate->optimizer = adam;
  using Reset = OptionalHook<value::ResetOptimizer>;
  AnyPull<value::Proximal> pull;
  if (std::isfinite(arm.pull)) pull.chosen = value::Proximal{.c = arm.pull};
  const auto network = [&](Index filters) {
    return nn::minatar_linear_network(channels_of(environment), environment.action_space().n * head.atoms, filters);
  };
  value::Dqn agent(
      network(16),
      {.batch_size = 32, .update_every = 4, .max_gradient_norm = std::numeric_limits<double>::infinity(), .seed = seed},
      head, nn::Glorot{}, adam,
      data::PrioritizedBitReplay{.capacity = 100'000, .alpha = 0.5, .beta = 0.5, .epsilon = 1e-10, .steps = 3},
      operators::EpsilonGreedy{.epsilon = linear(1.0, 0.05, frames / 5)}, tracking, pull,
      value::TargetNetwork{network(arm.target_filters)}, Reset{arm.reset}, value::TargetNoise{.deviation = arm.noise},
      value::TargetMovement{}, value::TargetChangeDiagnosis{.small = adam.epsilon});
  using Agent = decltype(agent);
  Curve curve(frames);
  struct Halfway {
    const Agent& agent;
    Index at;
    RunningMean movement{};
    void on_step(const training::RunStatus& status) {
      if (status.step == at) movement = agent.template state<value::TargetMovement>().distance;
    }
  } halfway{agent, frames / 2};
  training::train(agent, environment, {.steps = frames + half_a_period, .evaluate_every = 0, .seed = seed}, curve,
                  halfway);
  auto& learner = agent.learner();
  Figures figures = curve.figures();
  const auto add = [&](const std::string& metric, double value) { figures.push_back({metric, rounded(value)}); };
  add(target_movement, agent.template state<value::TargetMovement>().distance.mean_since(halfway.movement));
  add(online_norm, learner.online.norm());
  add(target_norm, learner.target.norm());
  add(network_distance,
      arm.target_filters == 16 ? (learner.target - learner.online).norm() : std::numeric_limits<double>::quiet_NaN());
  Rng rng(seed, 1'000);
  add(function_gap, gap_of(learner, rng));
  add_target_change(figures, agent.template state<value::TargetChangeDiagnosis>());
  return figures;
}

/// Of the published curves: the best rate of the authors' sweep.
double published_rate(const MinatarGame& game) {
  if (game.name == "Asterix") return std::exp2(-13);
  if (game.name == "Breakout") return std::exp2(-9);
  if (game.name == "SpaceInvaders") return std::exp2(-12);
  throw Error("minatar_runs", "no rate is published for", game.name);
}

constexpr Index published_period = 1'000;  // of the target

/// The pull's strength that the authors of DQN Pro use on Atari: learning_rate K / 2.5.
double rule_of_pull(const MinatarGame& game) {
  return published_rate(game) * static_cast<double>(published_period) / 2.5;
}

Figures run_published(const MinatarGame& game, bool pro, Index frames, Index seed) {
  const Control environment = environment_of(game, "-v0");
  const auto number = static_cast<std::uint64_t>(seed);
  constexpr Index starts = 5'000;
  AnyPull<value::Proximal> pull;
  if (pro) pull.chosen = value::Proximal{.c = rule_of_pull(game)};
  value::Dqn agent(nn::minatar_network(channels_of(environment), environment.action_space().n),
                   {.batch_size = 32,
                    .learning_starts = starts,
                    .max_gradient_norm = std::numeric_limits<double>::infinity(),
                    .seed = number},
                   value::ScalarHead{.loss = value::TdLoss::huber()},
                   nn::RMSProp{.learning_rate = published_rate(game),
                               .decay = 0.95,
                               .epsilon = 0.01,
                               .square = nn::RMSProp::Square::Centred},
                   data::BitReplay{.capacity = 100'000}, value::PeriodicCopy{.every = published_period}, pull,
                   operators::EpsilonGreedy{.epsilon = hold(starts, linear(1.0, 0.1, 100'000))});
  Curve curve(frames);
  training::train(agent, environment, {.steps = frames, .evaluate_every = 0, .seed = number}, curve);
  return curve.figures();
}

}  // namespace

std::string minatar_experiment(const MinatarGame& game, Index frames) {
  return fmt::format("MinAtar {}, {} frames", game.name, frames);
}

MinatarArm minatar_copy(Index every) {
  return {.name = fmt::format("copy every {}", every), .tracking = {{.chosen = value::PeriodicCopy{.every = every}}}};
}

MinatarArm minatar_pro(double c) {
  MinatarArm arm = minatar_copy();
  arm.name = fmt::format("Pro, c = {}", c);
  arm.pull = c;
  return arm;
}

MinatarArm minatar_polyak(double tau) {
  return {.name = fmt::format("Polyak {}", tau), .tracking = {{.chosen = value::Polyak{.tau = tau}}}};
}

MinatarArm minatar_replicate(Index steps, bool all_actions) {
  return {.name = fmt::format("replicate {}, {}", steps, all_actions ? "all actions" : "one action"),
          .tracking = {{.chosen = value::Replicate<>{.every = 250, .steps = steps, .all_actions = all_actions}}}};
}

MinatarArm minatar_replicate_to(Index filters, Index steps) {
  MinatarArm arm = minatar_replicate(steps);
  arm.name += fmt::format(", target of {} filters", filters);
  arm.target_filters = filters;
  return arm;
}

MinatarArm minatar_reset(Index every, nn::Moments moments, std::string what) {
  MinatarArm arm = minatar_copy(every);
  arm.name += ", reset " + what;
  arm.reset = value::ResetOptimizer{.moments = moments};
  return arm;
}

MinatarArm with_noise(MinatarArm arm, double deviation) {
  arm.name += fmt::format(", noise {}", deviation);
  arm.noise = deviation;
  return arm;
}

std::string minatar_return(Index part) { return fmt::format("return {:02}", part + 1); }

std::vector<double> MinatarRuns::operator()(const std::string& metric) const {
  std::vector<double> values;
  for (const Figures& figures : seeds) values.push_back(figure(figures, metric));
  return values;
}

std::vector<double> MinatarRuns::normalized(const std::string& metric) const {
  std::vector<double> values = (*this)(metric);
  for (double& x : values) x = game.normalized(x);
  return values;
}

tools::Series MinatarRuns::curve(const std::string& label) const {
  tools::Series line{.label = label};
  Rng rng(0, 7);
  for (Index part = 0; part < minatar_parts; ++part) {
    const auto mean = mean_of((*this)(minatar_return(part)), rng);
    add_point(line, static_cast<double>((part + 1) * frames / minatar_parts), mean);
  }
  return line;
}

std::vector<MinatarRuns> run_minatar(Study& study, const std::string& what, const std::vector<MinatarPlan>& plans) {
  std::vector<MinatarRuns> all;
  std::vector<Run> runs;
  std::vector<std::size_t> of;  // of each run, its arm's place in `all`
  for (const MinatarPlan& plan : plans)
    for (const MinatarArm& arm : plan.arms)
      all.push_back({.game = plan.game, .frames = plan.frames, .arm = arm.name, .seeds = {}});
  Index most = 0;
  for (const MinatarPlan& plan : plans) most = std::max(most, plan.seeds);
  for (Index seed = 0; seed < most; ++seed) {
    std::size_t at = 0;
    for (const MinatarPlan& plan : plans)
      for (const MinatarArm& arm : plan.arms) {
        const std::size_t place = at++;
        if (seed >= plan.seeds) continue;
        of.push_back(place);
        runs.push_back({.experiment = minatar_experiment(plan.game, plan.frames),
                        .setting = arm.name,
                        .number = seed,
                        .identity = fmt::format("{}; first seed {}", agent_identity, plan.first_seed),
                        .work = [game = plan.game, arm, frames = plan.frames,
                                 seed = plan.first_seed + static_cast<std::uint64_t>(seed)] {
                          return run_arm(game, arm, frames, seed);
                        }});
      }
  }
  const std::vector<Figures> figures = study.measure(what, runs);
  for (std::size_t i = 0; i < figures.size(); ++i) all[of[i]].seeds.push_back(figures[i]);
  return all;
}

const MinatarRuns& runs_of(const std::vector<MinatarRuns>& all, const MinatarGame& game, const std::string& arm) {
  for (const MinatarRuns& runs : all)
    if (runs.game.name == game.name && runs.arm == arm) return runs;
  throw Error("minatar_runs", fmt::format("there are no runs in {} of this arm", game.name), arm);
}

MinatarRuns run_published_dqn(Study& study, const MinatarGame& game, Index frames, Index seeds, bool pro) {
  MinatarRuns result{.game = game, .frames = frames, .arm = "DQN as published", .seeds = {}};
  std::string identity = fmt::format(
      "16 filters of 3 x 3, 128 units; uniform replay of 100 000, batch 32, an update a frame from "
      "frame 5 000; target every 1 000; Huber; centred RMSProp {:.4g}, decay 0.95, epsilon 0.01; "
      "epsilon 1, then to 0.1 over 100 000; discount 0.99",
      published_rate(game));
  if (pro) {
    result.arm += ", Pro by the rule";
    identity += fmt::format("; pull {:.4g}", rule_of_pull(game));
  }
  std::vector<Run> runs;
  for (Index seed = 0; seed < seeds; ++seed)
    runs.push_back({.experiment = minatar_experiment(game, frames),
                    .setting = result.arm,
                    .number = seed,
                    .identity = identity,
                    .work = [=] { return run_published(game, pro, frames, seed); }});
  result.seeds = study.measure(fmt::format("{} in {}", result.arm, game.name), runs);
  return result;
}

}  // namespace mellow::suite
