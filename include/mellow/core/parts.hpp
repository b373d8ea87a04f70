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
/// deep Q family), or where several share it (operators/exploration.hpp).
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
struct Traces {};         ///< which other states and actions share in a temporal-difference error
struct Reduction {};      ///< how processes that share a batch sum their gradients
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

/// The type that is given where it fits, else the default: a part that does not fit is then reported once, and nothing
/// else because of it.
template <bool fits, class Given, class Default>
using OrDefault = std::conditional_t<fits, Given, Default>;

/// Says in words where parts given to an algorithm do not fill its Roles: where one names no role or another one, or
/// two name the same. Only hooks may be several.
template <class... Roles>
struct CheckRoles {
  /// Whether all is well, for parts of these types.
  template <class... Parts>
  static consteval bool of() {
    static_assert((NamesRole<Parts> && ...),
                  "mellow: a part names no role: add `using role = mellow::roles::Backup;` (or the role it fills); a "
                  "policy explores through operators::explore(policy)");
    static_assert(((FillsOneOf<Parts, Roles...> || !NamesRole<Parts>)&&...),
                  "mellow: a part names a role that this algorithm does not have");
    static_assert(count_parts<roles::Backup, Parts...> <= 1, "mellow: two parts fill roles::Backup; give one");
    static_assert(count_parts<roles::Tracking, Parts...> <= 1, "mellow: two parts fill roles::Tracking; give one");
    static_assert(count_parts<roles::Pull, Parts...> <= 1, "mellow: two parts fill roles::Pull; give one");
    static_assert(count_parts<roles::Exploration, Parts...> <= 1,
                  "mellow: two parts fill roles::Exploration; give one");
    static_assert(count_parts<roles::Replay, Parts...> <= 1, "mellow: two parts fill roles::Replay; give one");
    static_assert(count_parts<roles::Head, Parts...> <= 1, "mellow: two parts fill roles::Head; give one");
    static_assert(count_parts<roles::Optimizer, Parts...> <= 1, "mellow: two parts fill roles::Optimizer; give one");
    static_assert(count_parts<roles::Initializer, Parts...> <= 1,
                  "mellow: two parts fill roles::Initializer; give one");
    static_assert(count_parts<roles::TargetNetwork, Parts...> <= 1,
                  "mellow: two parts fill roles::TargetNetwork; give one");
    static_assert(count_parts<roles::Traces, Parts...> <= 1, "mellow: two parts fill roles::Traces; give one");
    static_assert(count_parts<roles::Reduction, Parts...> <= 1, "mellow: two parts fill roles::Reduction; give one");
    return true;
  }
};

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

/// The part for Role among those given, or a default one where none was given or the given one is not a Wanted.
template <class Role, class Wanted, class... Parts>
constexpr Wanted take_part(const Parts&... parts) {
  const auto chosen = choose_part<Role>(NoState{}, parts...);
  if constexpr (std::same_as<std::remove_cvref_t<decltype(chosen)>, Wanted>) return chosen;
  else return Wanted{};
}

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
