// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cmath>
#include <span>

#include <mellow/core/error.hpp>
#include <mellow/core/numerics.hpp>
#include <mellow/core/parts.hpp>
#include <mellow/core/rng.hpp>
#include <mellow/core/spaces.hpp>
#include <mellow/data/batch.hpp>
#include <mellow/value/action_blocks.hpp>
#include <mellow/value/backups.hpp>

namespace mellow::value {

namespace detail {

/// sum_j p_j z_j of an action, from its logits.
struct Expectation {
  Index atoms;
  double v_min, step;

  template <class Scalar>
  Scalar operator()(const Scalar* logits) const {
    constexpr Index longest = 64;  // of a piece on the stack
    using Piece = Eigen::Array<Scalar, Eigen::Dynamic, 1, Eigen::ColMajor, longest, 1>;
    const Eigen::Map<const Eigen::Array<Scalar, Eigen::Dynamic, 1>> all(logits, atoms);
    const Scalar highest = all.maxCoeff();
    Scalar mass = 0, moment = 0;  // of exp(logit), and times the atom's number
    for (Index begin = 0; begin < atoms; begin += longest) {
      const Index n = std::min(longest, atoms - begin);
      const Piece likelihood = (all.segment(begin, n) - highest).exp();
      mass += likelihood.sum();
      moment +=
          (likelihood * Piece::LinSpaced(n, static_cast<Scalar>(begin), static_cast<Scalar>(begin + n - 1))).sum();
    }
    return static_cast<Scalar>(v_min) + static_cast<Scalar>(step) * (moment / mass);
  }
};

}  // namespace detail

/// The head of C51 (Bellemare, Dabney & Munos 2017): the return of every action is a distribution over fixed atoms, whose
/// logits are the network's outputs, `atoms` numbers an action side by side.
///
///     z_j = v_min + j (v_max - v_min) / (atoms - 1),     p(s, a) = softmax(outputs),     Q(s, a) = sum_j p_j z_j
///     m = projection of the atoms r + discount z_j of p_target(s', a*) onto the support (algorithm 1)
///     loss = 1/N sum_i -w_i sum_j m_j log p_j(s_i, a_i),     d loss / d logits = w_i (p - m) / N
///
/// a* is the action that the backup selects by the values Q: `Max` or `DoubleQ`. The cross-entropies are the batch's
/// errors, by which a prioritised replay orders. Choose it over `ScalarHead` where returns lie in a range that is known;
/// targets beyond the support are clipped to it.
struct CategoricalHead {
  using role = roles::Head;
  using Action = Index;  ///< a number of an action

  Index atoms = 51;      ///< of a distribution, >= 2
  double v_min = -10.0;  ///< the lowest return; finite
  double v_max = 10.0;   ///< the highest, above v_min; finite

  /// What is reused from update to update.
  template <class Scalar>
  struct State {
    Matrix<Scalar> labels;            ///< atoms x batch: the projected targets m
    Vector<Scalar> probabilities;     ///< atoms: of the next state's action
    detail::NextAction<Scalar> next;  ///< which action that is

    template <class Self, class Visit>
    static void visit_state(Self&, Visit&&) {}  // rewritten by every update
  };

  /// Throws Error for a number out of range.
  void validate() const {
    require(atoms >= 2, "value::CategoricalHead", "atoms must be at least 2", atoms);
    require(std::isfinite(v_min), "value::CategoricalHead", "v_min must be finite", v_min);
    require(std::isfinite(v_max) && v_max > v_min, "value::CategoricalHead", "v_max must be finite and above v_min",
            v_max);
  }

  /// Throws Error where the network's outputs are not `atoms` for each action.
  void require_fits(Index outputs, const Discrete& actions) const {
    if (outputs != atoms * actions.n)
      throw Error(
          "value::CategoricalHead",
          fmt::format("the network needs {} outputs, {} an action of the environment", atoms * actions.n, atoms),
          outputs);
  }

  Index actions(Index outputs) const { return outputs / atoms; }                    ///< that so many outputs stand for
  double step() const { return (v_max - v_min) / static_cast<double>(atoms - 1); }  ///< from atom to atom

  /// The values of the actions (actions x batch) as an expression of the network's outputs, which lie in memory.
  template <class Derived>
  auto values(const Eigen::MatrixBase<Derived>& outputs) const {
    return detail::action_values(outputs, atoms, expectation());
  }
  /// The action of the highest value.
  template <class Derived>
  Index greedy(const Eigen::MatrixBase<Derived>& outputs) const {
    return detail::ActionBlocks(outputs, atoms, expectation()).greedy(0);
  }
  /// An action, each with the same probability.
  Index random(Index outputs, Rng& rng) const { return rng.below(actions(outputs)); }

  /// Adds `mass` at a return to a distribution over the atoms: shared by the two nearest in proportion to their nearness,
  /// which keeps the mean; all of it to the last one beyond the support.
  template <class Scalar>
  void project(double at, Scalar mass, VectorRef<Scalar> distribution) const {
    const double place = std::clamp((at - v_min) / step(), 0.0, static_cast<double>(atoms - 1));
    const Index below = std::min(static_cast<Index>(place), atoms - 2);
    const auto upper = static_cast<Scalar>(place - static_cast<double>(below));
    distribution[below] += (Scalar(1) - upper) * mass;
    distribution[below + 1] += upper * mass;
  }

  /// The projected targets m of the batch, from the next states' target and, where the backup asks for them, online
  /// outputs; a* is among the allowed actions where the batch has action masks.
  template <class Scalar, OneActionBackup<Scalar> B>
  void targets(State<Scalar>& state, const B& backup, const data::Batch<Scalar>& batch,
               const ConstMatrixRef<Scalar>& target_next, const ConstMatrixRef<Scalar>& online_next) const {
    const detail::ActionBlocks target(target_next, atoms, expectation()), online(online_next, atoms, expectation());
    state.labels.setZero(atoms, batch.size());
    state.probabilities.resize(atoms);
    for (Index i = 0; i < batch.size(); ++i) {
      VectorRef<Scalar> label = state.labels.col(i);
      const double reward = batch.rewards[i], discount = batch.discounts[i];
      if (batch.discounts[i] == Scalar(0)) {
        project<Scalar>(reward, Scalar(1), label);
        continue;
      }
      const Index action = state.next.select(backup, batch, i, target, online);
      softmax(Eigen::Map<const Vector<Scalar>>(target.block(action, i), atoms), state.probabilities);
      for (Index j = 0; j < atoms; ++j)
        project<Scalar>(reward + discount * (v_min + static_cast<double>(j) * step()), state.probabilities[j], label);
    }
  }

  /// The mean weighted cross-entropy of the online outputs to the targets; writes its gradient and each sample's own.
  template <class Scalar>
  Scalar evaluate(const State<Scalar>& state, data::Batch<Scalar>& batch, const ConstMatrixRef<Scalar>& outputs,
                  MatrixRef<Scalar> d_outputs) const {
    const Scalar share = Scalar(1) / static_cast<Scalar>(batch.size());
    Scalar total = 0;
    d_outputs.setZero();
    for (Index i = 0; i < batch.size(); ++i) {
      const auto logits = outputs.col(i).segment(batch.actions[i] * atoms, atoms).array();
      const auto label = state.labels.col(i).array();
      auto d_logits = d_outputs.col(i).segment(batch.actions[i] * atoms, atoms).array();
      const Scalar normalizer = log_sum_exp(logits);
      const Scalar loss = batch.errors[i] = (label * (normalizer - logits)).sum();
      total += batch.weights[i] * loss;
      d_logits = share * batch.weights[i] * ((logits - normalizer).exp() - label);
    }
    return share * total;
  }

  /// How far distributions are from wanted ones, which are constants: the mean over the batch and the actions of the
  /// cross-entropy, for all actions or, where `actions` names one a sample, for those.
  ///
  ///     distance = 1/N sum -sum_j p_wanted,j log p_j,     d distance / d logits = (p - p_wanted) / N
  ///
  /// Writes the gradient in the outputs, which is exactly 0 where both are the same. The least distance is the entropy of
  /// the wanted distributions.
  template <class Scalar>
  Scalar distance(const ConstMatrixRef<Scalar>& outputs, const ConstMatrixRef<Scalar>& wanted,
                  std::span<const Index> actions, MatrixRef<Scalar> d_outputs) const {
    const Index each = actions.empty() ? outputs.rows() / atoms : 1;  // actions of a sample that count
    const Scalar share = Scalar(1) / static_cast<Scalar>(each * outputs.cols());
    Scalar total = 0;
    if (!actions.empty()) d_outputs.setZero();
    for (Index i = 0; i < outputs.cols(); ++i)
      for (Index k = 0; k < each; ++k) {
        const Index first = atoms * (actions.empty() ? k : actions[static_cast<std::size_t>(i)]);
        const auto logits = outputs.col(i).segment(first, atoms).array();
        const auto wanted_logits = wanted.col(i).segment(first, atoms).array();
        auto d_logits = d_outputs.col(i).segment(first, atoms).array();
        const Scalar normalizer = log_sum_exp(logits);
        d_logits = (wanted_logits - log_sum_exp(wanted_logits)).exp();
        total += (d_logits * (normalizer - logits)).sum();
        d_logits = share * ((logits - normalizer).exp() - d_logits);
      }
    return share * total;
  }

 private:
  detail::Expectation expectation() const { return {atoms, v_min, step()}; }
};

}  // namespace mellow::value
