// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <bit>
#include <cmath>
#include <concepts>
#include <cstdint>
#include <limits>
#include <type_traits>
#include <utility>
#include <vector>

#include <mellow/core/environment.hpp>
#include <mellow/core/mask_reader.hpp>
#include <mellow/core/memory.hpp>
#include <mellow/operators/mask.hpp>
#include <mellow/operators/max.hpp>

namespace mellow::models {

/// The numbers of UCT.
struct UctOptions {
  Index simulations = 1'000;  ///< episodes imagined for each decision, > 0
  Index horizon = 100;        ///< steps of an imagined episode, > 0
  double discount = 0.99;     ///< in [0, 1]
  double exploration = 0.7;   ///< C_p >= 0; 1 / sqrt(2) suits returns in [0, 1], others scale it

  /// Throws Error for a number out of range.
  void validate() const {
    constexpr auto where = "models::Uct";
    require(simulations > 0, where, "simulations must be positive", simulations);
    require(horizon > 0, where, "horizon must be positive", horizon);
    require(discount >= 0 && discount <= 1, where, "discount must lie in [0, 1]", discount);
    require(exploration >= 0, where, "exploration must not be negative", exploration);
  }
};

/// Acts at random after a simulation has left the tree.
struct RandomRollout {
  /// Draws one of the actions that the mask allows; an empty one allows all.
  template <class E>
  Index operator()(const E& environment, ActionMask mask, Rng& rng) const {
    const Index allowed = operators::count_allowed(environment.action_space().n, mask);
    return operators::nth_allowed(mask, rng.below(allowed));
  }
};

/// Offers `rollout(environment, rng)` or, to be told which actions are allowed, `rollout(environment, mask, rng)`.
template <class Rollout, class E>
concept RolloutPolicy = std::is_invocable_r_v<Index, const Rollout&, const E&, ActionMask, Rng&> ||
                        std::is_invocable_r_v<Index, const Rollout&, const E&, Rng&>;

/// UCT, Monte-Carlo planning by upper confidence bounds (Kocsis & Szepesvari 2006), on copies of any environment that
/// can be copied: simulates from the present state, takes in the tree the action with the largest
///
///     mean return + 2 C_p sqrt(log N / n),      N visits of the node, n of its action, untried ones first
///
/// adds one node a simulation, and goes on by a `RolloutPolicy`. Only allowed actions are tried where the environment
/// masks some. Nodes are told apart by what was observed on the way, so chance is planned for too. All memory is taken
/// at construction.
template <SnapshotEnvironment E, class Rollout = RandomRollout>
  requires std::same_as<Action<E>, Index> && RolloutPolicy<Rollout, E>
class Uct {
 public:
  /// Throws Error for options out of range. `environment` gives the spaces; any state of it will do.
  explicit Uct(const E& environment, const UctOptions& options = {}, Rollout rollout = {})
      : options_(options),
        rollout_(std::move(rollout)),
        simulated_(environment),
        masks_(environment),
        actions_(environment.action_space().n) {
    options_.validate();
    within_memory("models::Uct", "a tree of this many simulations does not fit into memory", options_.simulations, [&] {
      const Index nodes = options_.simulations + 1;
      visits_.setZero(actions_, nodes);
      means_.setZero(actions_, nodes);
      first_child_.setConstant(actions_, nodes, none);
      keys_.resize(static_cast<std::size_t>(nodes));
      siblings_.resize(keys_.size());
      path_.resize(static_cast<std::size_t>(options_.horizon));
    });
    if constexpr (!std::same_as<Observation<E>, Index>) observation_.resize(environment.observation_space().size());
  }

  /// Plans from the environment's present state and returns the action that was visited most (of equals the first).
  Index search(const E& environment, Rng& rng) {
    nodes_ = 0;
    add_node(0);
    for (Index i = 0; i < options_.simulations; ++i) {
      simulated_ = environment;
      simulate(rng);
    }
    return operators::argmax(visits_.col(0));
  }

  auto visits() const { return visits_.col(0); }  ///< actions: how often the last search tried each at the root
  auto values() const { return means_.col(0); }   ///< actions: mean return that followed each
  Index nodes() const { return nodes_; }          ///< of the last search's tree

 private:
  static constexpr Index none = -1;
  struct Visit {
    Index node, action;
    double reward;
  };

  void simulate(Rng& rng) {
    Index node = 0, steps = 0;
    Step step;
    bool inside = true;
    while (inside && steps < options_.horizon && !step.terminated && !step.truncated) {
      const Index action = choose(node, rng);
      step = simulated_.step(action, rng);
      path_[static_cast<std::size_t>(steps++)] = {node, action, step.reward};
      node = child(node, action, inside);
    }
    const Index in_tree = steps;
    double tail = 0.0, weight = 1.0;
    for (; steps < options_.horizon && !step.terminated && !step.truncated; ++steps) {
      step = simulated_.step(roll_out(rng), rng);
      tail += weight * step.reward;
      weight *= options_.discount;
    }
    for (Index i = in_tree; i-- > 0;) {
      const Visit& visit = path_[static_cast<std::size_t>(i)];
      tail = visit.reward + options_.discount * tail;
      double& mean = means_(visit.action, visit.node);
      mean += (tail - mean) / static_cast<double>(++visits_(visit.action, visit.node));
    }
  }

  Index roll_out(Rng& rng) {
    const E& environment = simulated_;
    if constexpr (std::is_invocable_v<const Rollout&, const E&, ActionMask, Rng&>)
      return rollout_(environment, masks_.of(environment), rng);
    else return rollout_(environment, rng);
  }

  /// UCB1 of the allowed actions; one of the untried at random where there are any.
  Index choose(Index node, Rng& rng) {
    const auto visits = visits_.col(node);
    const ActionMask mask = masks_.of(simulated_);
    const auto allowed = [&](Index a) { return mask.empty() || mask[static_cast<std::size_t>(a)]; };
    Index untried = 0;
    for (Index a = 0; a < actions_; ++a) untried += allowed(a) && visits[a] == 0;
    if (untried > 0) {
      Index skip = rng.below(untried), action = 0;
      while (!allowed(action) || visits[action] != 0 || skip-- > 0) ++action;
      return action;
    }
    const double log_total = std::log(static_cast<double>(visits.sum()));
    Index best = 0;
    double highest = -std::numeric_limits<double>::infinity();
    for (Index a = 0; a < actions_; ++a) {
      if (!allowed(a)) continue;
      const double bound =
          means_(a, node) + 2.0 * options_.exploration * std::sqrt(log_total / static_cast<double>(visits[a]));
      if (bound > highest) highest = bound, best = a;
    }
    return best;
  }

  /// The node after an action and what is now observed; adds it, and leaves the tree, where there is none yet.
  Index child(Index node, Index action, bool& inside) {
    simulated_.observe(observation_);
    const std::uint64_t key = key_of(observation_);
    for (Index c = first_child_(action, node); c != none; c = siblings_[static_cast<std::size_t>(c)])
      if (keys_[static_cast<std::size_t>(c)] == key) return c;
    inside = false;
    const Index added = add_node(key);
    siblings_[static_cast<std::size_t>(added)] = std::exchange(first_child_(action, node), added);
    return added;
  }

  Index add_node(std::uint64_t key) {
    visits_.col(nodes_).setZero();
    means_.col(nodes_).setZero();
    first_child_.col(nodes_).setConstant(none);
    keys_[static_cast<std::size_t>(nodes_)] = key;
    siblings_[static_cast<std::size_t>(nodes_)] = none;
    return nodes_++;
  }

  static std::uint64_t key_of(Index observation) { return static_cast<std::uint64_t>(observation); }
  static std::uint64_t key_of(const Vector<float>& observation) {
    std::uint64_t hash = 0;
    for (const float x : observation) {
      std::uint64_t mixed = hash ^ std::bit_cast<std::uint32_t>(x + 0.0f);  // -0 is 0
      hash = splitmix64(mixed);
    }
    return hash;
  }

  UctOptions options_;
  [[no_unique_address]] Rollout rollout_;
  E simulated_;
  MaskReader<E> masks_;
  Index actions_, nodes_ = 0;
  Matrix<Index> visits_;         // actions x nodes
  Matrix<double> means_;         // actions x nodes: of the returns
  Matrix<Index> first_child_;    // actions x nodes
  std::vector<Index> siblings_;  // of each node: the next child of the same action
  std::vector<std::uint64_t> keys_;
  std::vector<Visit> path_;
  Observation<E> observation_{};
};

}  // namespace mellow::models
