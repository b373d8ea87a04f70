// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <mellow/core/parts.hpp>
#include <mellow/core/rng.hpp>
#include <mellow/core/types.hpp>

namespace mellow::operators {

/// What an exploration part may ask of the present choice; all of it is about the allowed actions alone.
template <class Action>
struct ChoiceArchetype {
  Action greedy();          ///< the best action
  Action random(Rng&);      ///< any, with equal probability
  Vector<double> values();  ///< one an action
  Action action(Index i);   ///< the action whose value is values()[i]
};

namespace calls {
/// For `call_part`: an exploration part's choice.
inline constexpr auto choose = [](const auto& part, auto&&... a) -> decltype(part.choose(a...)) {
  return part.choose(a...);
};
}  // namespace calls

/// What an agent asks of `roles::Exploration`: `choose(state, choice, step, rng)` -> Action, where `step` counts the
/// environment's; `state` is left out by a part without state.
template <class P, class Scalar, class Action>
concept ExplorationPart =
    ReturnsForPart<Action, decltype(calls::choose), P, StateOf<P, Scalar>, ChoiceArchetype<Action>&, Index, Rng&>;

}  // namespace mellow::operators
