// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <concepts>
#include <type_traits>
#include <utility>

#include <mellow/training/status.hpp>

namespace mellow::training {

namespace detail {

template <class C>
concept Callback = requires(C callback, const RunStatus& status) { callback.on_step(status); } ||
                   requires(C callback, const RunStatus& status) { callback.on_episode(status); } ||
                   requires(C callback, const RunStatus& status) { callback.on_evaluation(status); } ||
                   requires(C callback, const RunStatus& status) { callback.on_end(status); };

/// The functions of a callback, as objects.
inline constexpr auto on_step = [](auto& c, const RunStatus& s) -> decltype(c.on_step(s)) { return c.on_step(s); };
inline constexpr auto on_episode = [](auto& c, const RunStatus& s) -> decltype(c.on_episode(s)) {
  return c.on_episode(s);
};
inline constexpr auto on_evaluation = [](auto& c, const RunStatus& s) -> decltype(c.on_evaluation(s)) {
  return c.on_evaluation(s);
};
inline constexpr auto on_end = [](auto& c, const RunStatus& s) -> decltype(c.on_end(s)) { return c.on_end(s); };

/// None of the functions that a callback has would be passed over because it takes something else.
template <class C, class Plain = std::remove_cvref_t<C>, class Ref = std::remove_reference_t<C>&>
concept TakesStatus = (!requires { &Plain::on_step; } || std::invocable<decltype(on_step), Ref, const RunStatus&>)&&(
    !requires { &Plain::on_episode; } || std::invocable<decltype(on_episode), Ref, const RunStatus&>)&&(!requires {
  &Plain::on_evaluation;
} || std::invocable<decltype(on_evaluation), Ref, const RunStatus&>)&&(!requires {
  &Plain::on_end;
} || std::invocable<decltype(on_end), Ref, const RunStatus&>);

/// Calls one of these functions of all callbacks that have it; false if any of them returned false.
template <class Function, class... Callbacks>
bool tell(const Function& function, const RunStatus& status, Callbacks&... callbacks) {
  bool go_on = true;
  [[maybe_unused]] const auto one = [&](auto& callback) {
    if constexpr (std::invocable<Function, decltype(callback), const RunStatus&>) {
      if constexpr (std::same_as<decltype(function(callback, status)), bool>) go_on &= function(callback, status);
      else function(callback, status);
    }
  };
  (one(callbacks), ...);
  return go_on;
}

/// Says in words what is no callback of a run.
template <class... Callbacks>
consteval void require_callbacks() {
  constexpr bool take_status = (TakesStatus<Callbacks> && ...), are_callbacks = (Callback<Callbacks> && ...);
  static_assert(take_status,
                "mellow: a callback given to train has an on_step, on_episode, on_evaluation or on_end that cannot be "
                "called with a const RunStatus&");
  static_assert(
      are_callbacks,
      "mellow: a callback given to train has none of on_step, on_episode, on_evaluation, on_end(const RunStatus&)");
}

}  // namespace detail

/// A callback that does something whenever an evaluation is the best so far: `OnImprovement([&] { save(...); })`.
template <std::invocable F>
class OnImprovement {
 public:
  /// `action()` is what it does.
  explicit OnImprovement(F action) : action_(std::move(action)) {}
  /// Acts where the evaluation is the best so far, ties included.
  void on_evaluation(const RunStatus& status) {
    if (status.improved) action_();
  }

 private:
  F action_;
};

}  // namespace mellow::training
