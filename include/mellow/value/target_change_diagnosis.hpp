// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <fmt/format.h>

#include <array>
#include <cmath>
#include <limits>

#include <mellow/core/error.hpp>
#include <mellow/core/parts.hpp>
#include <mellow/core/rng.hpp>
#include <mellow/core/running_mean.hpp>
#include <mellow/core/types.hpp>
#include <mellow/nn/parts.hpp>

namespace mellow::value {

/// Measures what a change of the target does to gradients g, first moments m and steps, and changes nothing: whether
/// the optimiser's memory of the former loss is of use on the new one (Asadi, Fakoor & Sabach 2023). To be read as
/// `agent.state<value::TargetChangeDiagnosis>()`, for tracking that changes the target now and then.
///
///     cos(m, g) = m . g / (|m| |g|),   missing where m or g is 0, as m is after a reset
///
/// A momentum that has taken in g has a positive cosine with it even where gradients are nothing but noise: in many
/// dimensions sqrt(1 - beta1^2), 0.436 for beta1 = 0.9. Hence there are two cosines before a change.
struct TargetChangeDiagnosis {
  using role = roles::Hook;

  double small = 1e-8;  ///< what |g| is compared with, > 0: the optimiser's epsilon

  /// Updates after a change whose steps are measured.
  static constexpr std::size_t steps = 10;

  /// What it finds out. Gradients are those that the optimiser gets, after clipping.
  template <class Scalar>
  struct State {
    RunningMean cosine_before;     ///< of m as the update finds it with g, in the last update before a change
    RunningMean cosine_including;  ///< of m as that update leaves it with the same g
    RunningMean cosine_after;      ///< of m as the update finds it with g, in the first update after a change
    RunningMean norm_ratio;        ///< |g| in the first update after a change, over |g| in the last one before
    RunningMean small_share;       ///< of parameters whose |g| is below `small`, in the first update after a change
    std::array<RunningMean, steps> step_norms;  ///< |change of the parameters| in the first updates after a change

    template <class Self, class Visit>
    static void visit_state(Self& self, Visit&& visit) {
      visit("cosine_before", self.cosine_before);
      visit("cosine_including", self.cosine_including);
      visit("cosine_after", self.cosine_after);
      visit("norm_ratio", self.norm_ratio);
      visit("small_share", self.small_share);
      for (std::size_t i = 0; i < steps; ++i) visit(fmt::format("step_norm{}", i), self.step_norms[i]);
      visit("since_change", self.since_change_);
      visit("cosine", self.cosine_);
      visit("including", self.including_);
      visit("norm", self.norm_);
    }

   private:
    friend struct TargetChangeDiagnosis;

    bool measures_step() const { return since_change_ >= 0 && since_change_ < static_cast<Index>(steps); }

    Index since_change_ = -1;                                   // updates; before the first change -1
    double cosine_ = std::numeric_limits<double>::quiet_NaN(),  // of the last update
        including_ = std::numeric_limits<double>::quiet_NaN(), norm_ = 0.0;
    Vector<Scalar> before_step_;  // parameters, where a step is measured
  };

  /// Throws Error for a number out of range.
  void validate() const {
    require(std::isfinite(small) && small > 0, "value::TargetChangeDiagnosis", "small must be positive and finite",
            small);
  }

  /// Says in words what the optimiser lacks.
  template <class Learner>
  static consteval void check() {
    static_assert(nn::MomentumState<decltype(Learner::optimizer_state)>,
                  "mellow: TargetChangeDiagnosis needs an optimiser whose State has first_moment()");
  }

  /// Compares the gradient with the momentum of earlier ones.
  template <class Scalar, class Learner>
  void before_step(State<Scalar>& state, Learner& learner, Rng&) const {
    const auto& g = learner.gradient;
    const double norm = g.norm();
    if constexpr (nn::MomentumState<decltype(learner.optimizer_state)>)
      state.cosine_ = cosine(learner.optimizer_state.first_moment(), g, norm);
    if (state.since_change_ == 0) {
      add(state.cosine_after, state.cosine_);
      if (state.norm_ > 0) state.norm_ratio.add(norm / state.norm_);
      state.small_share.add(static_cast<double>((g.array().abs() < static_cast<Scalar>(small)).count()) /
                            static_cast<double>(g.size()));
    }
    state.norm_ = norm;
    if (state.measures_step()) state.before_step_ = learner.online;
  }

  /// Measures the step.
  template <class Scalar, class Learner>
  void after_step(State<Scalar>& state, Learner& learner, Rng&) const {
    if constexpr (nn::MomentumState<decltype(learner.optimizer_state)>)
      state.including_ = cosine(learner.optimizer_state.first_moment(), learner.gradient, state.norm_);
    if (state.measures_step())
      state.step_norms[static_cast<std::size_t>(state.since_change_)].add((learner.online - state.before_step_).norm());
    if (state.since_change_ >= 0) ++state.since_change_;
  }

  /// Keeps what the last update before the change was like.
  template <class Scalar, class Learner>
  void after_target_change(State<Scalar>& state, Learner&, Rng&) const {
    add(state.cosine_before, state.cosine_);
    add(state.cosine_including, state.including_);
    state.since_change_ = 0;
  }

 private:
  template <class Moment, class Gradient>
  static double cosine(const Moment& m, const Gradient& g, double norm) {
    const double lengths = m.size() == g.size() ? m.norm() * norm : 0.0;
    return lengths > 0 ? m.dot(g) / lengths : std::numeric_limits<double>::quiet_NaN();
  }

  static void add(RunningMean& mean, double sample) {
    if (!std::isnan(sample)) mean.add(sample);
  }
};

}  // namespace mellow::value
