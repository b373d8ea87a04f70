// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <limits>
#include <string_view>
#include <vector>

#include <mellow/core/mask_reader.hpp>
#include <mellow/environments/discretized_actions.hpp>
#include <mellow/environments/wrapper.hpp>

/// Larger sets of actions of which one knows how alike they are (Zhou, Allen, Asadi & Konidaris 2022). `similarity()` of
/// each is actions x actions, symmetric: 1 for actions of the same effect, the diagonal included, 0 for unrelated ones.
/// It is what `value::SimilarityHead` and `value::SimilarActions` learn with.
namespace mellow::environments {

namespace detail {

/// How many actions there are when each is there `copies` times.
inline Index multiplied(std::string_view where, Index actions, Index copies) {
  require(copies > 0, where, "copies must be positive", copies);
  require(copies <= std::numeric_limits<Index>::max() / actions, where, "too many actions; copies", copies);
  return actions * copies;
}

}  // namespace detail

/// Of actions of which each is there `copies` times, side by side: 1 among the copies of one, else 0. Throws Error where
/// the actions are not so many times something.
inline Matrix<double> similarity_of_copies(Index actions, Index copies) {
  require(copies > 0 && actions % copies == 0, "similarity_of_copies",
          fmt::format("copies must divide the {} actions", actions), copies);
  Matrix<double> result = Matrix<double>::Zero(actions, actions);
  for (Index first = 0; first < actions; first += copies) result.block(first, first, copies, copies).setOnes();
  return result;
}

/// Gives every discrete action `copies` indices side by side: action a does what a / copies (rounded down) does in the
/// wrapped environment. An action is allowed where its original is.
template <class E>
class DuplicateActions : public Wrapper<E> {
 public:
  /// With one copy nothing changes. Throws Error for less, or more actions than fit an Index.
  DuplicateActions(E environment, Index copies)
      : Wrapper<E>(std::move(environment)),
        copies_(copies),
        count_(detail::multiplied("DuplicateActions", this->environment_.action_space().n, copies)) {}

  Discrete action_space() const { return Discrete(count_); }       ///< copies times as many
  Index copies() const { return copies_; }                         ///< of each action, the original included
  Index original(Index action) const { return action / copies_; }  ///< the wrapped environment's action

  /// Acts once, as the original does.
  template <class Generator>
  Step step(Index action, Generator& rng) {
    return this->environment_.step(original(action), rng);
  }

  /// Which actions are allowed.
  void action_mask(std::span<bool> out) const
    requires MaskedEnvironment<E>
  {
    this->environment_.action_mask(out.first(static_cast<std::size_t>(count_ / copies_)));
    for (Index a = count_ - 1; a >= 0; --a)  // backwards: an original is read before its place is written
      out[static_cast<std::size_t>(a)] = out[static_cast<std::size_t>(original(a))];
  }

  /// 1 among the copies of one action, else 0.
  Matrix<double> similarity() const { return similarity_of_copies(count_, copies_); }

 private:
  Index copies_, count_;
};

/// Adds actions that each do what one of the wrapped environment's m actions does, drawn anew at every step: first come
/// the m originals, then (copies - 1) m random ones, so that there are as many as `DuplicateActions` has. What is drawn is
/// allowed, so that a random action always is.
template <class E>
class RandomActions : public Wrapper<E> {
 public:
  /// With one copy nothing changes. Throws Error for less, or more actions than fit an Index.
  RandomActions(E environment, Index copies)
      : Wrapper<E>(std::move(environment)),
        originals_(this->environment_.action_space().n),
        count_(detail::multiplied("RandomActions", originals_, copies)),
        masks_(this->environment_) {}

  Discrete action_space() const { return Discrete(count_); }  ///< the originals, and the random ones

  /// Acts once; a random action takes one draw.
  template <class Generator>
  Step step(Index action, Generator& rng) {
    return this->environment_.step(action < originals_ ? action : draw(rng), rng);
  }

  /// Which actions are allowed.
  void action_mask(std::span<bool> out) const
    requires MaskedEnvironment<E>
  {
    const auto originals = static_cast<std::size_t>(originals_);
    this->environment_.action_mask(out.first(originals));
    std::ranges::fill(out.subspan(originals), true);
  }

  /// 1 among the random actions, else 0 but for the diagonal.
  Matrix<double> similarity() const {
    Matrix<double> result = Matrix<double>::Identity(count_, count_);
    const Index added = count_ - originals_;
    result.bottomRightCorner(added, added).setOnes();
    return result;
  }

 private:
  template <class Generator>
  Index draw(Generator& rng) {
    const ActionMask mask = masks_.of(this->environment_);
    if (mask.empty()) return static_cast<Index>(rng.below(originals_));
    auto skipped = rng.below(std::ranges::count(mask, true));
    Index action = 0;
    while (!mask[static_cast<std::size_t>(action)] || skipped-- > 0) ++action;
    return action;
  }

  Index originals_, count_;
  MaskReader<E> masks_;
};

/// Gives every action of a discretised environment `copies` indices side by side, of which the first acts in full and
/// the others act by `effect` times the same vector: with 1 they are duplicates, with 0 they do nothing.
///
///     SemiDuplicateActions(DiscretizedActions(Pendulum{}, 3), 5, 0.8)    // torques -2, -1.6, .., 0, 0, .., 2, 1.6, ..
template <class E>
class SemiDuplicateActions : public Wrapper<DiscretizedActions<E>> {
 public:
  /// Throws Error for no copies, an effect outside [0, 1], or bounds of an action that do not enclose 0.
  SemiDuplicateActions(DiscretizedActions<E> environment, Index copies, double effect)
      : Wrapper<DiscretizedActions<E>>(std::move(environment)), copies_(copies), effect_(effect) {
    constexpr auto where = "SemiDuplicateActions";
    const Index originals = this->environment_.action_space().n;
    const Index count = detail::multiplied(where, originals, copies);
    require(effect >= 0 && effect <= 1, where, "effect must lie in [0, 1]", effect);
    const Box bounds = this->environment_.unwrapped().action_space();
    for (Index i = 0; i < bounds.size(); ++i)
      require(bounds.low[i] <= 0 && bounds.high[i] >= 0, where,
              "a part of an action must be one, so the bounds must enclose 0; dimension where they do not", i);
    vectors_.reserve(static_cast<std::size_t>(count));
    for (Index original = 0; original < originals; ++original) {
      vectors_.push_back(this->environment_.vector(original));
      vectors_.resize(vectors_.size() + static_cast<std::size_t>(copies - 1),
                      static_cast<float>(effect) * vectors_.back());
    }
  }

  Discrete action_space() const { return Discrete(std::ssize(vectors_)); }  ///< copies times as many

  /// The vector that an action stands for.
  const Vector<float>& vector(Index action) const { return vectors_[static_cast<std::size_t>(action)]; }

  /// Acts once.
  template <class Generator>
  Step step(Index action, Generator& rng) {
    return this->environment_.unwrapped().step(vector(action), rng);
  }

  /// Within the indices of one action: `effect` between the first and another, 1 between others; all 1 where the action
  /// is 0. Else 0.
  Matrix<double> similarity() const {
    const Index count = action_space().n;
    Matrix<double> result = Matrix<double>::Zero(count, count);
    for (Index first = 0; first < count; first += copies_) {
      auto block = result.block(first, first, copies_, copies_);
      block.setOnes();
      if (vector(first).isZero(0)) continue;
      block.row(0).tail(copies_ - 1).setConstant(effect_);
      block.col(0).tail(copies_ - 1).setConstant(effect_);
    }
    return result;
  }

 private:
  Index copies_;
  double effect_;
  std::vector<Vector<float>> vectors_;  // of each action
};

}  // namespace mellow::environments
