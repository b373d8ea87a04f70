// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <concepts>
#include <cstddef>
#include <tuple>
#include <type_traits>
#include <utility>

namespace mellow {

/// What a part does in an algorithm. A part names its role (`using role = roles::Backup;`), so parts may be given in
/// any order. What each role asks of a part is written beside the algorithm that uses it (value/dqn_parts.hpp for the
/// deep Q family).
namespace roles {
struct Backup {};         ///< values of the next state's actions -> value of the next state
struct Tracking {};       ///< how the target network follows the online network
struct Pull {};           ///< how the online parameters are drawn towards the target's between gradient and step
struct Exploration {};    ///< which action is taken while learning
struct Replay {};         ///< what is remembered and which batch is learned from
struct Head {};           ///< what the network's outputs mean: greedy action, targets, loss
struct Optimizer {};      ///< how a gradient changes parameters
struct Initializer {};    ///< where the parameters start
struct TargetNetwork {};  ///< a target network of another type than the online one
struct Traces {};         ///< which earlier states and actions share in a temporal-difference error
struct Hook {};           ///< acts on the learner at moments; any number of them
}  // namespace roles

/// A part that says which role it fills.
template <class P>
concept NamesRole = requires { typename P::role; };

/// Whether P fills Role.
template <class P, class Role>
concept Fills = NamesRole<P> && std::same_as<typename P::role, Role>;

/// Whether P fills one of the roles.
template <class P, class... Roles>
concept FillsOneOf = (Fills<P, Roles> || ...);

/// How many of the parts fill Role.
template <class Role, class... Parts>
inline constexpr std::size_t count_parts = (std::size_t{Fills<Parts, Role>} + ... + 0);

/// The part for Role among `parts`, or `fallback` where there is none.
template <class Role, class Default>
constexpr auto choose_part(const Default& fallback) {
  return fallback;
}
/// The same: the first of the parts that fills Role.
template <class Role, class Default, class First, class... Rest>
constexpr auto choose_part(const Default& fallback, const First& first, const Rest&... rest) {
  if constexpr (Fills<First, Role>) return first;
  else return choose_part<Role>(fallback, rest...);
}

/// The type that `choose_part` gives.
template <class Role, class Default, class... Parts>
using PartFor = decltype(choose_part<Role>(std::declval<const Default&>(), std::declval<const Parts&>()...));

/// All parts for Role, as a tuple: for a role that any number may fill.
template <class Role, class... Parts>
constexpr auto all_parts(const Parts&... parts) {
  return std::tuple_cat([&] {
    if constexpr (Fills<Parts, Role>) return std::tuple<Parts>(parts);
    else return std::tuple<>();
  }()...);
}

/// What a part changes during a run: `Part::State<Scalar>` if it has one, else nothing.
struct NoState {
  template <class Self, class Visit>
  static void visit_state(Self&, Visit&&) {}
};

namespace detail {
template <class Part, class Scalar>
struct StateOf {
  using type = NoState;
};
template <class Part, class Scalar>
  requires requires { typename Part::template State<Scalar>; }
struct StateOf<Part, Scalar> {
  using type = typename Part::template State<Scalar>;
};
}  // namespace detail

/// The type of a part's state: `Part::State<Scalar>`, or `NoState`.
template <class Part, class Scalar>
using StateOf = typename detail::StateOf<Part, Scalar>::type;

/// A member function of parts, named as an object: `constexpr auto f = [](const auto& part, auto&&... a) ->
/// decltype(part.f(a...)) {...}`. It can be called for a part with the part's state first, or without it where the part
/// has none.
template <class Function, class Part, class State, class... Arguments>
concept CallableForPart =
    std::invocable<Function, const Part&, State&, Arguments...> || std::invocable<Function, const Part&, Arguments...>;

/// As above, and what the call gives converts to Result.
template <class Result, class Function, class Part, class State, class... Arguments>
concept ReturnsForPart = std::is_invocable_r_v<Result, Function, const Part&, State&, Arguments...> ||
                         (!std::invocable<Function, const Part&, State&, Arguments...> &&
                          std::is_invocable_r_v<Result, Function, const Part&, Arguments...>);

/// Calls a part's function by that rule.
template <class Function, class Part, class State, class... Arguments>
  requires CallableForPart<Function, Part, State, Arguments&&...>
constexpr decltype(auto) call_part(const Function& function, const Part& part, State& state, Arguments&&... arguments) {
  if constexpr (std::invocable<Function, const Part&, State&, Arguments&&...>)
    return function(part, state, std::forward<Arguments>(arguments)...);
  else return function(part, std::forward<Arguments>(arguments)...);
}

/// Checks a part's numbers if it knows how to (`validate()` throws Error).
template <class Part>
void validate_part(const Part& part) {
  if constexpr (requires { part.validate(); }) part.validate();
}

}  // namespace mellow
