// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <concepts>
#include <tuple>
#include <type_traits>
#include <utility>

#include <mellow/core/environment.hpp>

namespace mellow::environments {

/// An environment whose step is a function of a few numbers and draws nothing. Many of them are kept as a structure of
/// arrays and stepped in one loop that the compiler vectorises (see Vectorized), with the bits of stepping them one by
/// one:
///
///     State                                             std::array<double, k>
///     state() const -> State, set_state(state)
///     advance(state, action) const -> Step              steps `state` in place; action is an Index, or for a Box of
///                                                       one dimension a float; without branches, so that it vectorises
///     observation(state)                                static; std::array<float, features>
template <class E>
concept PureEnvironment = Environment<E> && std::copyable<E> && std::same_as<ObservationSpace<E>, Box> &&
                          requires(E e, typename E::State state,
                                   std::conditional_t<std::same_as<ActionSpace<E>, Discrete>, Index, float> action) {
                            { std::as_const(e).advance(state, action) } -> std::same_as<Step>;
                            { std::as_const(e).state() } -> std::convertible_to<typename E::State>;
                            e.set_state(state);
                            std::tuple_size<typename E::State>::value;
                            std::tuple_size<decltype(E::observation(state))>::value;
                          };

}  // namespace mellow::environments
