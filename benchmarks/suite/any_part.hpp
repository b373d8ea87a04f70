// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <span>
#include <tuple>
#include <type_traits>
#include <utility>
#include <variant>

#include <mellow/core/error.hpp>
#include <mellow/core/parts.hpp>
#include <mellow/core/spaces.hpp>
#include <mellow/data/batch.hpp>
#include <mellow/nn/moments.hpp>
#include <mellow/nn/parameter_layout.hpp>
#include <mellow/operators/exploration.hpp>
#include <mellow/value/backups.hpp>
#include <mellow/value/dqn_parts.hpp>

/// Parts that are one of several, chosen at run time: each models the concept of its role and hands every call to the
/// one that it holds, so an agent is compiled once for all of them and gives the same bits as with the plain part.
namespace mellow::suite {

/// What these have in common.
template <class Role, class... Ps>
struct AnyPart {
  using role = Role;
  std::variant<Ps...> chosen{};

  void validate() const {
    std::visit([](const auto& part) { validate_part(part); }, chosen);
  }

 protected:
  /// Calls `call(part, number)` with the part that was chosen and its number as a compile-time constant.
  template <class Call>
  void with_chosen(const Call& call) const {
    [&]<std::size_t... I>(std::index_sequence<I...>) {
      ((chosen.index() == I ? call(*std::get_if<I>(&chosen), std::integral_constant<std::size_t, I>()) : void()), ...);
    }(std::index_sequence_for<Ps...>{});
  }
};

/// One of several backups.
template <class... Ps>
struct AnyBackup : AnyPart<roles::Backup, Ps...> {
  /// Whether the one chosen looks at the online network's values.
  bool wants_online() const {
    return std::visit([]<class P>(const P&) { return value::OnlineBackup<P, float>; }, this->chosen);
  }

  template <class Target, class Online>
  typename Target::Scalar operator()(const Eigen::DenseBase<Target>& target_q,
                                     const Eigen::DenseBase<Online>& online_q) const {
    return std::visit(
        [&]<class P>(const P& backup) -> typename Target::Scalar {
          if constexpr (value::OnlineBackup<P, typename Target::Scalar>)
            return backup(target_q.derived(), online_q.derived());
          else return backup(target_q.derived());
        },
        this->chosen);
  }

  /// Whether the one chosen takes the value of one action, which heads of distributions ask for.
  bool selects() const {
    return std::visit([]<class P>(const P&) { return value::OneActionBackup<P, float>; }, this->chosen);
  }

  /// The action whose value the one chosen takes. Throws Error for one that mixes the values of several.
  template <class Target, class Online>
  Index select(const Eigen::DenseBase<Target>& target_q, const Eigen::DenseBase<Online>& online_q) const {
    return std::visit(
        [&]<class P>(const P& backup) -> Index {
          using Scalar = typename Target::Scalar;
          if constexpr (!value::OneActionBackup<P, Scalar>)
            throw Error("backup", "a head of distributions needs one that takes the value of one action");
          else if constexpr (value::OnlineBackup<P, Scalar>)
            return backup.select(target_q.derived(), online_q.derived());
          else return backup.select(target_q.derived());
        },
        this->chosen);
  }
};

/// One of several backups of a table, which need the present values alone.
template <class... Ps>
struct AnyTableBackup : AnyPart<roles::Backup, Ps...> {
  template <class Derived>
  double operator()(const Eigen::DenseBase<Derived>& q) const {
    return std::visit([&](const auto& backup) -> double { return backup(q.derived()); }, this->chosen);
  }
};

/// One of several ways to explore.
template <class... Ps>
struct AnyExploration : AnyPart<roles::Exploration, Ps...> {
  template <class Scalar>
  using State = std::tuple<StateOf<Ps, Scalar>...>;

  template <class States, class Choice>
  Index choose(States& states, Choice&& choice, Index step, Rng& rng) const {
    Index action = 0;
    this->with_chosen([&](const auto& part, auto number) {
      action = call_part(operators::calls::choose, part, std::get<number()>(states), choice, step, rng);
    });
    return action;
  }

  template <class Derived>
  void probabilities(const Eigen::DenseBase<Derived>& q, Index step, VectorRef<typename Derived::Scalar> pi) const {
    std::visit([&](const auto& part) { part.probabilities(q.derived(), step, pi); }, this->chosen);
  }
};

/// One of several heads of a deep Q agent of discrete actions.
template <class... Ps>
struct AnyHead : AnyPart<roles::Head, Ps...> {
  using Action = Index;

  template <class Scalar>
  struct State {
    std::tuple<typename Ps::template State<Scalar>...> of;

    template <class Self, class Visit>
    static void visit_state(Self&, Visit&&) {}  // rewritten by every update
  };

  void require_fits(Index outputs, const Discrete& space) const {
    std::visit([&](const auto& head) { head.require_fits(outputs, space); }, this->chosen);
  }
  Index actions(Index outputs) const {
    return std::visit(
        [&](const auto& head) -> Index {
          if constexpr (requires { head.actions(outputs); }) return head.actions(outputs);
          else return outputs;
        },
        this->chosen);
  }

  /// Actions x batch, computed: each head has an expression of its own.
  template <class Derived>
  auto values(const Eigen::MatrixBase<Derived>& outputs) const {
    using Scalar = typename Derived::Scalar;
    using Values = Eigen::Matrix<Scalar, Eigen::Dynamic, Derived::ColsAtCompileTime>;
    return std::visit([&](const auto& head) -> Values { return head.values(outputs); }, this->chosen);
  }
  template <class Derived>
  Index greedy(const Eigen::MatrixBase<Derived>& outputs) const {
    return std::visit([&](const auto& head) { return head.greedy(outputs); }, this->chosen);
  }
  Index random(Index outputs, Rng& rng) const {
    return std::visit([&](const auto& head) { return head.random(outputs, rng); }, this->chosen);
  }

  template <class Scalar, class B>
  void targets(State<Scalar>& states, const B& backup, const data::Batch<Scalar>& batch,
               const ConstMatrixRef<Scalar>& target_next, const ConstMatrixRef<Scalar>& online_next) const {
    this->with_chosen([&](const auto& head, auto number) {
      head.template targets<Scalar>(std::get<number()>(states.of), backup, batch, target_next, online_next);
    });
  }
  template <class Scalar>
  Scalar evaluate(State<Scalar>& states, data::Batch<Scalar>& batch, const ConstMatrixRef<Scalar>& outputs,
                  MatrixRef<Scalar> d_outputs) const {
    Scalar loss = 0;
    this->with_chosen([&](const auto& head, auto number) {
      loss = head.template evaluate<Scalar>(std::get<number()>(states.of), batch, outputs, d_outputs);
    });
    return loss;
  }

  template <class Scalar>
  Scalar distance(const ConstMatrixRef<Scalar>& outputs, const ConstMatrixRef<Scalar>& wanted,
                  std::span<const Index> actions, MatrixRef<Scalar> d_outputs) const {
    return std::visit(
        [&](const auto& head) { return head.template distance<Scalar>(outputs, wanted, actions, d_outputs); },
        this->chosen);
  }
};

/// One of several heads of a policy.
template <class... Ps>
struct AnyPolicyHead : AnyPart<roles::Head, Ps...> {
  template <class Derived>
  void probabilities(const Eigen::DenseBase<Derived>& x, VectorRef<typename Derived::Scalar> pi) const {
    std::visit([&](const auto& part) { part.probabilities(x.derived(), pi); }, this->chosen);
  }

  template <class Derived>
  double log_probability_gradient(const Eigen::DenseBase<Derived>& x, Index action,
                                  VectorRef<typename Derived::Scalar> out) const {
    return std::visit([&](const auto& part) { return part.log_probability_gradient(x.derived(), action, out); },
                      this->chosen);
  }
};

/// One of several optimisers.
template <class... Ps>
struct AnyOptimizer : AnyPart<roles::Optimizer, Ps...> {
  template <class Scalar>
  struct State {
    std::variant<typename Ps::template State<Scalar>...> state;
    nn::ParameterLayout layout = 0;

    void reset(const nn::ParameterLayout& parameters) {
      layout = parameters;
      std::visit([&](auto& s) { s.reset(layout); }, state);
    }
    /// Becomes the state of the optimiser of this number. To be called once, when the agent is made.
    void choose(std::size_t which) {
      [&]<std::size_t... I>(std::index_sequence<I...>) {
        ((which == I ? void(state.template emplace<I>()) : void()), ...);
      }(std::index_sequence_for<Ps...>{});
      reset(layout);
    }
    /// Forgets what is named of what the chosen optimiser has.
    void forget(const nn::Moments& which) {
      std::visit([&](auto& s) { s.forget(which); }, state);
    }
    /// That of the chosen optimiser, empty where it has none.
    Eigen::Map<const Vector<Scalar>> first_moment() const {
      return std::visit(
          [](const auto& s) -> Eigen::Map<const Vector<Scalar>> {
            if constexpr (requires { s.first_moment(); }) return {s.first_moment().data(), s.first_moment().size()};
            else return {nullptr, 0};
          },
          state);
    }

    template <class Self, class Visit>
    static void visit_state(Self& self, Visit&& visit) {
      std::visit([&](auto& s) { visit("state", s); }, self.state);
    }
  };

  template <class States, class Theta, class Gradient>
  void step(States& states, Theta& theta, const Gradient& gradient) const {
    this->with_chosen(
        [&](const auto& part, auto number) { part.step(*std::get_if<number()>(&states.state), theta, gradient); });
  }

  double learning_rate(Index step) const {
    return std::visit([&](const auto& part) -> double { return part.learning_rate(step); }, this->chosen);
  }
};

/// One of several replays.
template <class... Ps>
struct AnyReplay : AnyPart<roles::Replay, Ps...> {
  template <class Scalar, class Action = Index>
  struct State {
    std::variant<typename Ps::template State<Scalar, Action>...> state;

    template <class Self, class Visit>
    static void visit_state(Self& self, Visit&& visit) {
      std::visit([&](auto& s) { visit("state", s); }, self.state);
    }
  };

  template <class Scalar, class Action = Index>
  State<Scalar, Action> make_state(Index features, Index action_size = 1) const {
    return std::visit(
        [&](const auto& part) -> State<Scalar, Action> {
          return {part.template make_state<Scalar, Action>(features, action_size)};
        },
        this->chosen);
  }

  template <class States, class Transition>
  void push(States& states, const Transition& transition) const {
    this->with_chosen(
        [&](const auto& part, auto number) { part.push(*std::get_if<number()>(&states.state), transition); });
  }

  template <class States, class Batch>
  void sample(States& states, Batch& batch, Rng& rng) const {
    this->with_chosen(
        [&](const auto& part, auto number) { part.sample(*std::get_if<number()>(&states.state), batch, rng); });
  }

  template <class Scalar, class Action, class Learner>
  void after_step(State<Scalar, Action>& states, Learner& learner, Rng& rng) const {
    this->with_chosen([&](const auto& part, auto number) {
      auto& state = *std::get_if<number()>(&states.state);
      if constexpr (requires { part.after_step(state, learner, rng); }) part.after_step(state, learner, rng);
    });
  }
};

/// One of several ways in which the target follows.
template <class... Ps>
struct AnyTracking : AnyPart<roles::Tracking, Ps...> {
  template <class Scalar>
  using State = std::tuple<StateOf<Ps, Scalar>...>;

  template <class Learner>
  void require_fits(const Learner& learner) const {
    std::visit([&](const auto& part) { part.require_fits(learner); }, this->chosen);
  }
  template <class Learner>
  auto make_state(const Learner& learner) const {
    State<typename Learner::Scalar> states;
    this->with_chosen([&](const auto& part, auto number) {
      if constexpr (requires { part.make_state(learner); }) std::get<number()>(states) = part.make_state(learner);
    });
    return states;
  }

  template <class States, class Learner>
  bool update(States& states, Learner& learner, Rng& rng) const {
    bool changed = false;
    this->with_chosen([&](const auto& part, auto number) {
      changed = call_part(value::calls::update, part, std::get<number()>(states), learner, rng);
    });
    return changed;
  }
};

/// One of several pulls of parts without state, or none.
template <class... Ps>
struct AnyPull : AnyPart<roles::Pull, value::NoPull, Ps...> {
  template <class Learner>
  void require_fits(const Learner& learner) const {
    std::visit(
        [&](const auto& part) {
          if constexpr (requires { part.require_fits(learner); }) part.require_fits(learner);
        },
        this->chosen);
  }
  template <class Learner>
  void pull(Learner& learner, Rng& rng) const {
    std::visit(
        [&](const auto& part) {
          if constexpr (requires { part.pull(learner, rng); }) part.pull(learner, rng);
        },
        this->chosen);
  }
};

/// A hook that may be left out.
template <class P>
struct OptionalHook {
  using role = roles::Hook;
  template <class Scalar>
  using State = StateOf<P, Scalar>;

  std::optional<P> part{};

  template <class Learner>
  static consteval void check() {
    if constexpr (requires { P::template check<Learner>(); }) P::template check<Learner>();
  }
  void validate() const {
    if (part) validate_part(*part);
  }

  template <class States, class Learner>
  void after_sample(States& states, Learner& learner, Rng& rng) const {
    at(value::moments::after_sample, states, learner, rng);
  }
  template <class States, class Learner>
  void before_step(States& states, Learner& learner, Rng& rng) const {
    at(value::moments::before_step, states, learner, rng);
  }
  template <class States, class Learner>
  void after_step(States& states, Learner& learner, Rng& rng) const {
    at(value::moments::after_step, states, learner, rng);
  }
  template <class States, class Learner>
  void after_target_change(States& states, Learner& learner, Rng& rng) const {
    at(value::moments::after_target_change, states, learner, rng);
  }

 private:
  template <class Moment, class States, class Learner>
  void at(const Moment& moment, States& states, Learner& learner, Rng& rng) const {
    if constexpr (CallableForPart<Moment, P, States, Learner&, Rng&>)
      if (part) call_part(moment, *part, states, learner, rng);
  }
};

/// One of several initialisers.
template <class... Ps>
struct AnyInitializer : AnyPart<roles::Initializer, Ps...> {
  template <class Scalar>
  void fill(const Segment& segment, VectorRef<Scalar> values, Rng& rng) const {
    std::visit([&](const auto& part) { part.template fill<Scalar>(segment, values, rng); }, this->chosen);
  }
};

}  // namespace mellow::suite
