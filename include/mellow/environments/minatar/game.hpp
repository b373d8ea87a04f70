// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cassert>
#include <concepts>
#include <cstddef>
#include <string_view>

#include <mellow/core/environment.hpp>
#include <mellow/environments/minatar/options.hpp>
#include <mellow/environments/minatar/picture.hpp>

namespace mellow::environments::minatar {

namespace detail {
template <class R>
inline constexpr int channels_of = static_cast<int>(R::channels.size());
}  // namespace detail

/// What distinguishes a game from the others. An object is the game's state; as default-constructed, that in which
/// every episode begins but for what `begin` draws.
///
///     channels, buttons                names of the observation's channels; the buttons that the game has a use for
///     begin(rng)                       draws what differs from episode to episode
///     step(button, rng, ramping)       plays a step; gives a mellow::Step
///     draw(picture) const              shows the state in a Picture
template <class R>
concept Rules = std::copyable<R> && std::default_initializable<R> && Visitable<R> &&
                requires(R rules, const R constant, Rng& rng, Picture<detail::channels_of<R>>& picture) {
                  { R::channels.front() } -> std::convertible_to<std::string_view>;
                  { R::buttons.front() } -> std::convertible_to<Button>;
                  rules.begin(rng);
                  { rules.step(Button::None, rng, true) } -> std::same_as<Step>;
                  constant.draw(picture);
                };

/// A game of MinAtar (Young & Tian 2019) by its rules: Asterix, Breakout, Freeway, Seaquest or SpaceInvaders. What
/// follows holds for each of them.
///
/// Observation (100 x channels): zeros and ones. Number channel + channels (x + 10 y) tells whether the cell in column
/// x, row y shows a thing of that channel: the package's array of [y][x][channel], flattened. So channels lie closest
/// together, as in an image of 10 x 10 pixels; a replay in bits keeps all of it. Actions: 0 none, 1 left, 2 up, 3 right,
/// 4 down, 5 fire, or with `minimal_actions` those of `buttons` in their order. Rewards are whole numbers. A step
/// first draws whether the action before is repeated, even at probability 0; that action is remembered from one episode
/// to the next. Terminated by the game; stepped on after that, it pays 0 and nothing changes. There is no time limit.
///
/// With a LegacyNumpyGenerator each step is that of the Python package 1.0.15, which draws everything from one
/// `RandomState`: pass the same generator to all resets and steps, as `reset(seed=k)` of the package does with seed k.
///
/// Atari's questions (planning ahead, moving things, rare rewards) in minutes in place of days, and without frames to be
/// stacked: how things move is shown by the trails behind them. Space Invaders' and Breakout's scores rise first.
template <Rules R>
class Game {
 public:
  static constexpr int channels = detail::channels_of<R>;            ///< kinds of things that are shown
  static constexpr auto channel_names = R::channels;                 ///< what they are
  static constexpr Index features = Index{Cells::count} * channels;  ///< numbers of an observation
  static constexpr bool carries_over = true;  ///< the action that may be repeated outlives its episode

  Game() = default;  ///< the package's

  /// Throws Error where an option leaves its range.
  explicit Game(const Options& options) : options_(options) { options.validate(); }

  Box observation_space() const { return {features, 0.0f, 1.0f}; }  ///< 100 x channels zeros and ones
  /// All six buttons, or those that the game has a use for.
  Discrete action_space() const { return Discrete(actions()); }

  /// Begins an episode.
  template <class Generator>
  void reset(Generator& rng) {
    rules_ = R();
    rules_.begin(rng);
    over_ = false;
  }

  /// Plays a step.
  template <class Generator>
  Step step(Index action, Generator& rng) {
    assert(action >= 0 && action < actions());
    const bool repeats = rng.uniform() < options_.sticky_action_probability;
    if (!repeats) pressed_ = button(action);
    if (over_) return {.reward = 0.0, .terminated = true};
    const Step result = rules_.step(pressed_, rng, options_.difficulty_ramping);
    over_ = result.terminated;
    return result;
  }

  /// Writes what is on the grid.
  void observe(VectorRef<float> out) const {
    assert(out.size() == features);
    std::fill_n(out.data(), features, 0.0f);
    Picture<channels> picture(out.data());
    rules_.draw(picture);
  }

  /// The button that an action presses.
  Button button(Index action) const {
    return options_.minimal_actions ? R::buttons[static_cast<std::size_t>(action)] : static_cast<Button>(action);
  }
  const Options& options() const { return options_; }  ///< as given

  /// Names the state.
  template <class Self, class Visit>
  static void visit_state(Self& self, Visit&& visit) {
    visit("game", self.rules_);
    visit("pressed", self.pressed_);
    visit("over", self.over_);
  }

 private:
  Index actions() const { return options_.minimal_actions ? static_cast<Index>(R::buttons.size()) : 6; }

  Options options_;
  R rules_;
  Button pressed_ = Button::None;
  bool over_ = false;
};

}  // namespace mellow::environments::minatar
