// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <span>
#include <tuple>
#include <type_traits>
#include <vector>

#include <mellow/core/environment.hpp>
#include <mellow/environments/pure_environment.hpp>
#include <mellow/environments/time_limit.hpp>

namespace mellow::environments {

/// What one step of many environments gives, one element an environment.
struct Steps {
  Vector<double> rewards;   ///< of each
  Vector<bool> terminated;  ///< whose task ended
  Vector<bool> truncated;   ///< whose episode was cut short from outside

  /// Names the three.
  template <class Self, class Visit>
  static void visit_state(Self& self, Visit&& visit) {
    visit("rewards", self.rewards);
    visit("terminated", self.terminated);
    visit("truncated", self.truncated);
  }
};

namespace detail {

/// Observations and actions of many environments: a column each, or an index each.
template <class E>
using Observations = std::conditional_t<std::same_as<ObservationSpace<E>, Discrete>, Vector<Index>, Matrix<float>>;
template <class E>
using ActionsRef =
    std::conditional_t<std::same_as<ActionSpace<E>, Discrete>, ConstVectorRef<Index>, ConstMatrixRef<float>>;

/// Copies of an environment, stepped one by one.
template <class E>
class Copies {
 public:
  Copies(const E& environment, Index n) : environments_(static_cast<std::size_t>(n), environment) {}

  void reset(Index i, Rng& rng) { at(i).reset(rng); }
  void step(const ActionsRef<E>& actions, std::vector<Rng>& generators, Steps& steps) {
    for (Index i = 0; i < steps.rewards.size(); ++i) {
      Step step;
      if constexpr (std::same_as<ActionSpace<E>, Discrete>) {
        step = at(i).step(actions[i], generators[static_cast<std::size_t>(i)]);
      } else {
        action_ = actions.col(i);
        step = at(i).step(action_, generators[static_cast<std::size_t>(i)]);
      }
      steps.rewards[i] = step.reward;
      steps.terminated[i] = step.terminated;
      steps.truncated[i] = step.truncated;
    }
  }
  void observe(Observations<E>& out) const {
    for (Index i = 0; i < static_cast<Index>(environments_.size()); ++i) observe(i, out);
  }
  void observe(Index i, Observations<E>& out) const {
    const E& environment = environments_[static_cast<std::size_t>(i)];
    if constexpr (std::same_as<ObservationSpace<E>, Discrete>) environment.observe(out[i]);
    else environment.observe(out.col(i));
  }
  void action_mask(Index i, std::span<bool> out) const
    requires MaskedEnvironment<E>
  {
    environments_[static_cast<std::size_t>(i)].action_mask(out);
  }
  double original_reward(Index i) const
    requires RescalesRewards<E>
  {
    return environments_[static_cast<std::size_t>(i)].original_reward();
  }

  template <class Self, class Visit>
    requires Visitable<E>
  static void visit_state(Self& self, Visit&& visit) {
    visit("environments", self.environments_);
  }

 private:
  E& at(Index i) { return environments_[static_cast<std::size_t>(i)]; }

  std::vector<E> environments_;
  [[no_unique_address]] std::conditional_t<std::same_as<ActionSpace<E>, Box>, Vector<float>, std::tuple<>> action_;
};

/// The states of a pure environment in blocks: structures of arrays, worked on as local variables, which the compiler
/// knows not to overlap. The last block may have places to spare. `step` is flattened (calls in its loop are inlined
/// whatever their size), since a call would keep it from being vectorised.
template <PureEnvironment E>
class States {
  static constexpr Index variables = std::tuple_size_v<typename E::State>,
                         features = std::tuple_size_v<decltype(E::observation(typename E::State{}))>, width = 32;
  template <class T, Index columns = 1>
  using Block = Eigen::Array<T, width, columns>;
  using Action = std::conditional_t<std::same_as<ActionSpace<E>, Discrete>, Index, float>;

 public:
  States(const E& environment, Index n)
      : environment_(environment), n_(n), blocks_(Matrix<double>::Zero(width * variables, (n + width - 1) / width)) {}

  void reset(Index i, Rng& rng) {
    environment_.reset(rng);
    set(block(i / width), i % width, environment_.state());
  }
  [[gnu::flatten]] void step(const ActionsRef<E>& actions, std::vector<Rng>&, Steps& steps) {
    steps.truncated.setZero();
    const E environment = environment_;  // local, so that no store below can change it
    for (Index start = 0; start < n_; start += width) {
      const Index count = std::min(width, n_ - start);
      Block<double, variables> states = block(start / width);
      Block<Action> action;
      Block<double> rewards;
      Block<std::uint64_t> terminated;  // as wide as the others, for vectors of the same length
      for (Index i = 0; i < count; ++i) {
        if constexpr (std::same_as<Action, Index>) action[i] = actions[start + i];
        else action[i] = actions(0, start + i);
      }
      for (Index i = 0; i < count; ++i) {
        typename E::State state = get(states, i);
        const Step& step = environment.advance(state, action[i]);  // as a value, GCC 12 keeps it in memory
        set(states, i, state);
        rewards[i] = step.reward;
        terminated[i] = step.terminated ? 1 : 0;
      }
      block(start / width) = states;
      steps.rewards.segment(start, count) = rewards.head(count);
      for (Index i = 0; i < count; ++i) steps.terminated[start + i] = terminated[i] != 0;
    }
  }
  void observe(Matrix<float>& out) const {
    for (Index start = 0; start < n_; start += width) {
      const Index count = std::min(width, n_ - start);
      const Block<double, variables> states = block(start / width);
      Block<float, features> observations;
      for (Index i = 0; i < count; ++i) set(observations, i, E::observation(get(states, i)));
      for (Index i = 0; i < count; ++i)
        for (Index f = 0; f < features; ++f) out(f, start + i) = observations(i, f);
    }
  }
  void observe(Index i, Matrix<float>& out) const {
    const auto observation = E::observation(get(block(i / width), i % width));
    for (Index f = 0; f < features; ++f) out(f, i) = observation[static_cast<std::size_t>(f)];
  }
  void action_mask(Index i, std::span<bool> out) const
    requires MaskedEnvironment<E>
  {
    E environment = environment_;
    environment.set_state(get(block(i / width), i % width));
    environment.action_mask(out);
  }

  template <class Self, class Visit>
  static void visit_state(Self& self, Visit&& visit) {
    visit("states", self.blocks_);
  }

 private:
  auto block(Index b) { return Eigen::Map<Block<double, variables>>(blocks_.col(b).data()); }
  auto block(Index b) const { return Eigen::Map<const Block<double, variables>>(blocks_.col(b).data()); }

  /// Row i of a block as an array, and back.
  template <class Rows>
  static typename E::State get(const Rows& rows, Index i) {
    typename E::State state;
    for (Index v = 0; v < variables; ++v) state[static_cast<std::size_t>(v)] = rows.coeff(i, v);
    return state;
  }
  template <class Rows, class T, std::size_t size>
  static void set(Rows&& rows, Index i, const std::array<T, size>& values) {
    for (std::size_t v = 0; v < size; ++v) rows.coeffRef(i, static_cast<Index>(v)) = values[v];
  }

  E environment_;
  Index n_;
  Matrix<double> blocks_;  ///< a column a block
};

template <class E>
struct BatchOf {
  using type = Copies<E>;
};
template <PureEnvironment E>
  requires(!RescalesRewards<E>)  // a reward of the last step is no function of the state
struct BatchOf<E> {
  using type = States<E>;
};

/// A batch whose episodes are cut after `limit` steps.
template <class E>
class LimitedBatch {
 public:
  LimitedBatch(const TimeLimit<E>& environment, Index n)
      : batch_(environment.unwrapped(), n), elapsed_(Vector<Index>::Zero(n)), limit_(environment.limit()) {}

  void reset(Index i, Rng& rng) {
    elapsed_[i] = 0;
    batch_.reset(i, rng);
  }
  void step(const ActionsRef<E>& actions, std::vector<Rng>& generators, Steps& steps) {
    batch_.step(actions, generators, steps);
    elapsed_.array() += 1;
    steps.truncated.array() = steps.truncated.array() || elapsed_.array() >= limit_;
  }
  void observe(Observations<E>& out) const { batch_.observe(out); }
  void observe(Index i, Observations<E>& out) const { batch_.observe(i, out); }
  void action_mask(Index i, std::span<bool> out) const
    requires MaskedEnvironment<E>
  {
    batch_.action_mask(i, out);
  }
  double original_reward(Index i) const
    requires RescalesRewards<E>
  {
    return batch_.original_reward(i);
  }

  template <class Self, class Visit>
  static void visit_state(Self& self, Visit&& visit) {
    visit("environment", self.batch_);
    visit("elapsed", self.elapsed_);
  }

 private:
  typename BatchOf<E>::type batch_;
  Vector<Index> elapsed_;
  Index limit_;
};
template <class E>
struct BatchOf<TimeLimit<E>> {
  using type = LimitedBatch<E>;
};

}  // namespace detail
}  // namespace mellow::environments
