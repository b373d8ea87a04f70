// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cmath>
#include <numeric>
#include <utility>
#include <vector>

#include <mellow/core/parts.hpp>
#include <mellow/models/plan.hpp>

namespace mellow::models {

namespace detail {

/// States ordered by priority, the highest on top of a binary heap that knows where each state stands.
class StateQueue {
 public:
  explicit StateQueue(Index states)
      : priority_(Vector<double>::Zero(states)), heap_(static_cast<std::size_t>(states)), place_(heap_.size()) {
    std::iota(heap_.begin(), heap_.end(), Index{0});
    std::iota(place_.begin(), place_.end(), std::size_t{0});
  }

  Index top() const { return heap_.front(); }
  double priority(Index state) const { return priority_[state]; }

  void set(Index state, double priority) {
    const bool rises = priority > priority_[state];
    priority_[state] = priority;
    std::size_t at = place_[static_cast<std::size_t>(state)];
    if (rises)
      while (at > 0 && above(at, (at - 1) / 2)) at = exchange(at, (at - 1) / 2);
    else
      while (2 * at + 1 < heap_.size()) {
        std::size_t child = 2 * at + 1;
        if (child + 1 < heap_.size() && above(child + 1, child)) ++child;
        if (!above(child, at)) break;
        at = exchange(at, child);
      }
  }

 private:
  bool above(std::size_t a, std::size_t b) const { return priority_[heap_[a]] > priority_[heap_[b]]; }
  std::size_t exchange(std::size_t a, std::size_t b) {
    std::swap(heap_[a], heap_[b]);
    place_[static_cast<std::size_t>(heap_[a])] = a;
    place_[static_cast<std::size_t>(heap_[b])] = b;
    return b;
  }

  Vector<double> priority_;
  std::vector<Index> heap_;
  std::vector<std::size_t> place_;
};

}  // namespace detail

/// Prioritized sweeping (Moore & Atkeson 1993) on a known model: backs up one state at a time, always the one whose
/// value may be wrong by most. After v(s) changed by d, a predecessor p may be wrong by discount max_a P(s|p, a) |d|
/// more, so that a state's priority bounds its error for every operator that is a non-expansion. Prefer it to sweeps
/// where values travel along few paths: mazes, sparse rewards.
///
/// `iterations` and `max_iterations` count backups of one state; `residual` is the highest priority left. Throws Error
/// for options out of range.
template <TabularModel M, BackupOperator Op = operators::Max>
Plan prioritized_sweeping(const M& model, const PlanOptions& options = {}, const Op& op = {}) {
  options.validate();
  validate_part(op);
  const Index n = model.states();
  std::vector<std::vector<std::pair<Index, double>>> predecessors(static_cast<std::size_t>(n));
  Vector<double> probability = Vector<double>::Zero(n), strongest = Vector<double>::Zero(n);
  for (Index s = 0; s < n; ++s) {
    for (Index a = 0; a < model.actions(); ++a) {
      for (const environments::Outcome& outcome : model.outcomes(s, a))
        if (!outcome.terminated)
          strongest[outcome.next] = std::max(strongest[outcome.next], probability[outcome.next] += outcome.probability);
      for (const environments::Outcome& outcome : model.outcomes(s, a)) probability[outcome.next] = 0.0;
    }
    for (Index a = 0; a < model.actions(); ++a)
      for (const environments::Outcome& outcome : model.outcomes(s, a))
        if (const double p = std::exchange(strongest[outcome.next], 0.0); p > 0)
          predecessors[static_cast<std::size_t>(outcome.next)].emplace_back(s, p);
  }

  Plan plan{.q = action_values(model, Vector<double>::Zero(n), options.discount)};
  Vector<double> v = Vector<double>::Zero(n);
  detail::StateQueue queue(n);
  for (Index s = 0; s < n; ++s) queue.set(s, std::abs(op(plan.q.col(s))));
  while (!(plan.converged = queue.priority(queue.top()) <= options.tolerance) &&
         plan.iterations < options.max_iterations) {
    const Index s = queue.top();
    for (Index a = 0; a < model.actions(); ++a) plan.q(a, s) = lookahead(model, s, a, options.discount, v);
    const double change = std::abs(op(plan.q.col(s)) - std::exchange(v[s], op(plan.q.col(s))));
    queue.set(s, 0.0);
    for (const auto& [p, weight] : predecessors[static_cast<std::size_t>(s)])
      queue.set(p, queue.priority(p) + options.discount * weight * change);
    ++plan.iterations;
  }
  plan.residual = queue.priority(queue.top());
  plan.q = action_values(model, v, options.discount);
  return plan;
}

}  // namespace mellow::models
