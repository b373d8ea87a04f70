// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cmath>
#include <concepts>
#include <limits>
#include <string>
#include <vector>

#include <mellow/environments/cart_pole.hpp>
#include <mellow/environments/time_limit.hpp>
#include <mellow/nn/adam.hpp>
#include <mellow/nn/mlp.hpp>
#include <mellow/training/run.hpp>
#include <mellow/value/dqn.hpp>
#include <mellow/value/target_change_diagnosis.hpp>
#include <mellow/value/target_movement.hpp>

#include "../suite/estimates.hpp"
#include "measured_arms.hpp"
#include "target_change_figures.hpp"

/// Deep Q agents on CartPole-v1: what papers on target networks are calibrated by. No evidence for or against them.
namespace mellow::suite {

inline constexpr Index pole_evaluations = 20, pole_period = 200;

/// What all runs share.
inline const std::string pole_identity =
    "DQN, 64 and 64 units, discount 0.99, batches of 32, squared loss, gradients no longer than 10, Adam 1e-3, epsilon "
    "3.125e-4, the target changed every 200 updates, an update a step from step 1 000, exploration to 0.05 in 10 000, "
    "20 000 steps, an evaluation of 20 episodes every 1 000; networks are compared 100 steps after the end";

/// Of both networks.
inline nn::Adam pole_optimizer() { return {.learning_rate = 1e-3, .epsilon = 3.125e-4}; }

/// The name of an evaluation's figure.
inline std::string return_at(Index evaluation) { return fmt::format("return at {:05}", evaluation * 1'000); }

/// Mean of a run's evaluations, from the first to the last, counted from 1.
inline double mean_return(const Figures& figures, Index first, Index last) {
  double sum = 0;
  for (Index i = first; i <= last; ++i) sum += figure(figures, return_at(i));
  return sum / static_cast<double>(last - first + 1);
}

/// Trains an agent of these parts, and gives its evaluations, how far its target moved from change to change in the
/// second half ("target movement"), and of both networks, half a period after the last change: their norms, how far apart
/// their parameters are and, in proportion, their values ("value gap"). A `TargetChangeDiagnosis` among the parts adds
/// its figures.
template <class... Parts>
Figures balance_pole(Index seed, const Parts&... parts) {
  const auto number = static_cast<std::uint64_t>(seed);
  value::Dqn agent(nn::Mlp{{4, 64, 64, 2}}, {.batch_size = 32, .seed = number}, pole_optimizer(), parts...,
                   value::TargetMovement{});
  using Agent = decltype(agent);
  struct Watch {
    const Agent& agent;
    Figures figures{};
    RunningMean halfway{};
    void on_evaluation(const training::RunStatus& status) {
      const Index evaluation = status.step / 1'000;
      if (evaluation * 1'000 != status.step) return;
      figures.push_back({return_at(evaluation), rounded(status.evaluation_return)});
      if (evaluation == pole_evaluations / 2) halfway = agent.template state<value::TargetMovement>().distance;
    }
  } watch{agent};
  training::train(agent, environments::TimeLimit(environments::CartPole{}, 500),
                  {.steps = pole_evaluations * 1'000 + pole_period / 2, .evaluate_every = 1'000, .seed = number},
                  watch);
  Figures figures = watch.figures;
  const auto add = [&](const std::string& metric, double value) { figures.push_back({metric, rounded(value)}); };
  add("mean return", mean_return(figures, 1, pole_evaluations));
  add("early return", mean_return(figures, 1, 5));
  add("late return", mean_return(figures, pole_evaluations - 4, pole_evaluations));
  add("target movement", agent.template state<value::TargetMovement>().distance.mean_since(watch.halfway));

  auto& l = agent.learner();
  data::Batch<float> states;
  states.resize(4, 256);
  Rng rng(number);
  l.replay.sample(l.replay_state, states, rng);
  const Matrix<float> online = l.network.forward(l.online, states.observations, l.tape),
                      target = l.target_network.forward(l.target, states.observations, l.target_tape);
  const bool same_shape = l.online.size() == l.target.size();
  add("online norm", l.online.norm());
  add("target norm", l.target.norm());
  add("network distance", same_shape ? (l.online - l.target).norm() : std::numeric_limits<double>::quiet_NaN());
  add("value gap", (online - target).norm() / online.norm());
  if constexpr ((std::same_as<Parts, value::TargetChangeDiagnosis> || ...))
    add_target_change(figures, agent.template state<value::TargetChangeDiagnosis>());
  return figures;
}

/// Mean returns of arms at each evaluation, with bands.
inline tools::Plot pole_plot(const MeasuredArms& arms, const std::vector<std::string>& names, Rng& rng) {
  tools::Plot plot{.title = "DQN on CartPole-v1", .x_label = "step", .y_label = "return"};
  for (const std::string& name : names) {
    plot.series.push_back({.label = name});
    for (Index k = 1; k <= pole_evaluations; ++k)
      add_point(plot.series.back(), static_cast<double>(k * 1'000), mean_of(arms(name, return_at(k)), rng));
  }
  return plot;
}

/// Mean of a figure of each arm, in words: "copy 146.7 [139.8, 153.5], ...".
inline std::string pole_means(const MeasuredArms& arms, const std::vector<std::string>& names,
                              const std::string& metric, Rng& rng) {
  std::string text;
  for (const std::string& name : names) {
    text += fmt::format("{}{} {:.1f}", text.empty() ? "" : ", ", name, mean_of(arms(name, metric), rng));
  }
  return text;
}

}  // namespace mellow::suite
