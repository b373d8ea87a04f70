// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <mellow/core/environment.hpp>

namespace mellow::environments {

/// Any environment with these spaces, behind one type: an agent compiled for it learns in all of them, at the price of
/// a virtual call a step. The same seed gives the same bits as the environment itself.
template <class ObservationSpace = Box, class ActionSpace = Discrete>
class Any {
 public:
  using Element = typename ActionSpace::Element;  ///< an action

  /// Whether E is a wrapper around an environment of this very type.
  template <class E>
  static constexpr bool wraps = requires { requires std::same_as<typename E::Wrapped, Any>; };

  /// Takes an environment whose copies are snapshots.
  template <
      class E>  // the first conditions keep compilers from asking what Any and its wrappers are while building them
    requires(!std::same_as<E, Any> && !wraps<E> && SnapshotEnvironment<E> &&
             std::same_as<mellow::ObservationSpace<E>, ObservationSpace> &&
             std::same_as<mellow::ActionSpace<E>, ActionSpace>)
  Any(E environment)
      : held_(std::make_unique<Held<E>>(std::move(environment))) {}  // NOLINT(google-explicit-constructor)
  /// Takes a wrapper around an environment of this type: `Any::rewrap(TimeLimit(any, 200))`.
  template <class E>
  static Any rewrap(E environment) {
    static_assert(wraps<E> && SnapshotEnvironment<E>);
    Any result;
    result.held_ = std::make_unique<Held<E>>(std::move(environment));
    return result;
  }
  /// A copy is a snapshot.
  Any(const Any& other) : held_(other.held_->copy()) {}
  Any(Any&&) noexcept = default;  ///< leaves the other empty
  /// Becomes a copy.
  Any& operator=(const Any& other) {
    held_ = other.held_->copy();
    return *this;
  }
  Any& operator=(Any&&) noexcept = default;  ///< leaves the other empty
  ~Any() = default;

  ObservationSpace observation_space() const { return held_->observation_space(); }  ///< of the environment
  ActionSpace action_space() const { return held_->action_space(); }                 ///< of the environment

  void reset(Rng& rng) { held_->reset(rng); }                                             ///< begins an episode
  Step step(const Element& action, Rng& rng) { return held_->step(action, rng); }         ///< acts once
  void observe(typename ObservationSpace::ElementRef out) const { held_->observe(out); }  ///< the present observation

  bool masks_actions() const { return held_->masks_actions(); }  ///< whether `action_mask` forbids anything
  /// Which actions are allowed; all of them where the environment has no masks.
  void action_mask(std::span<bool> out) const
    requires std::same_as<ActionSpace, Discrete>
  {
    held_->action_mask(out);
  }
  double original_reward() const {
    return held_->original_reward();
  }  ///< of the last step, before any wrapper changed it

  template <class Self, class Visit>
  static void visit_state(Self& self, Visit&& visit) {
    for (auto& [path, bytes] : self.held_->pieces()) visit(path, bytes);
  }

 private:
  Any() = default;

  struct Concept {
    virtual ~Concept() = default;
    virtual std::unique_ptr<Concept> copy() const = 0;
    virtual ObservationSpace observation_space() const = 0;
    virtual ActionSpace action_space() const = 0;
    virtual void reset(Rng& rng) = 0;
    virtual Step step(const Element& action, Rng& rng) = 0;
    virtual void observe(typename ObservationSpace::ElementRef out) const = 0;
    virtual bool masks_actions() const = 0;
    virtual void action_mask(std::span<bool> out) const = 0;
    virtual double original_reward() const = 0;
    virtual std::vector<std::pair<std::string, std::span<std::byte>>> pieces() = 0;
  };

  template <class E>
  struct Held final : Concept {
    explicit Held(E e) : environment(std::move(e)) {}
    std::unique_ptr<Concept> copy() const override { return std::make_unique<Held>(*this); }
    ObservationSpace observation_space() const override { return environment.observation_space(); }
    ActionSpace action_space() const override { return environment.action_space(); }
    void reset(Rng& rng) override { environment.reset(rng); }
    Step step(const Element& action, Rng& rng) override {
      const Step result = environment.step(action, rng);
      reward = result.reward;
      return result;
    }
    void observe(typename ObservationSpace::ElementRef out) const override { environment.observe(out); }
    bool masks_actions() const override { return MaskedEnvironment<E>; }
    void action_mask([[maybe_unused]] std::span<bool> out) const override {
      if constexpr (MaskedEnvironment<E>) environment.action_mask(out);
      else std::ranges::fill(out, true);
    }
    double original_reward() const override {
      if constexpr (RescalesRewards<E>) return environment.original_reward();
      else return reward;
    }
    std::vector<std::pair<std::string, std::span<std::byte>>> pieces() override {
      std::vector<std::pair<std::string, std::span<std::byte>>> result;
      mellow::detail::visit_leaves("", environment, [&](const std::string& path, auto& leaf) {
        const auto bytes = mellow::detail::bytes_of(leaf);
        result.emplace_back(path, std::span(const_cast<std::byte*>(bytes.data()), bytes.size()));
      });
      return result;
    }

    E environment;
    double reward = 0;
  };

  std::unique_ptr<Concept> held_;
};

/// The spaces are those of the environment.
template <SnapshotEnvironment E>
Any(E) -> Any<mellow::ObservationSpace<E>, mellow::ActionSpace<E>>;

}  // namespace mellow::environments
