// SPDX-License-Identifier: Apache-2.0
#include <mellow/environments/any.hpp>
#include <mellow/environments/cart_pole.hpp>
#include <mellow/environments/check.hpp>
#include <mellow/environments/duplicate_actions.hpp>
#include <mellow/environments/pendulum.hpp>
#include <mellow/environments/time_limit.hpp>

#include "support/catch.hpp"

using namespace mellow;
using namespace mellow::environments;

namespace {

/// Shows which action was taken last. Action 1 is allowed at even steps only.
class Echo {
 public:
  Discrete observation_space() const { return Discrete(4); }
  Discrete action_space() const { return Discrete(3); }
  void reset(Rng&) { last_ = 3, steps_ = 0; }
  Step step(Index action, Rng&) {
    last_ = action;
    return {.reward = static_cast<double>(action), .terminated = ++steps_ == 7};
  }
  void observe(Index& out) const { out = last_; }
  void action_mask(std::span<bool> out) const {
    REQUIRE(out.size() == 3);
    out[0] = out[2] = true;
    out[1] = steps_ % 2 == 0;
  }
  template <class Self, class Visit>
  static void visit_state(Self& self, Visit&& visit) {
    visit("last", self.last_);
    visit("steps", self.steps_);
  }

 private:
  Index last_ = 3, steps_ = 0;
};

/// The action that `environment` takes in its innermost one for `action`.
template <class E>
Index taken(E environment, Index action, Rng& rng) {
  Index out = -1;
  environment.step(action, rng);
  environment.observe(out);
  return out;
}

template <class E>
std::vector<bool> mask_of(const E& environment) {
  Eigen::Array<bool, Eigen::Dynamic, 1> mask(environment.action_space().n);
  environment.action_mask({mask.data(), static_cast<std::size_t>(mask.size())});
  return {mask.begin(), mask.end()};
}

}  // namespace

TEST_CASE("Environments with more actions pass the checker, alone and among other wrappers") {
  check(DuplicateActions(CartPole{}, 5));
  check(RandomActions(CartPole{}, 5));
  check(SemiDuplicateActions(DiscretizedActions(Pendulum{}, 3), 5, 0.8));
  check(DuplicateActions(Echo{}, 4));
  check(RandomActions(Echo{}, 4));
  check(RandomActions(DuplicateActions(Echo{}, 2), 3));
  check(Any(TimeLimit(DuplicateActions(Any(TimeLimit(CartPole{}, 30)), 2), 20)));
  STATIC_REQUIRE(SnapshotEnvironment<DuplicateActions<Echo>>);
  STATIC_REQUIRE(MaskedEnvironment<DuplicateActions<Echo>>);
  STATIC_REQUIRE(MaskedEnvironment<RandomActions<Echo>>);
  STATIC_REQUIRE_FALSE(MaskedEnvironment<DuplicateActions<CartPole>>);
}

TEST_CASE("A duplicate does what its original does") {
  Rng rng(1);
  const DuplicateActions environment(Echo{}, 4);
  REQUIRE(environment.action_space().n == 12);
  for (Index action = 0; action < 12; ++action) {
    CHECK(environment.original(action) == action / 4);
    CHECK(taken(environment, action, rng) == action / 4);
  }
  const DuplicateActions single(Echo{}, 1);
  CHECK(single.action_space().n == 3);
  CHECK(taken(single, 2, rng) == 2);

  DuplicateActions many(CartPole{}, 50);
  CartPole plain;
  Rng a(2), b(2), actions(3);
  many.reset(a);
  plain.reset(b);
  for (int i = 0; i < 20; ++i) {
    const Index action = actions.below(100);
    many.step(action, a);
    plain.step(action / 50, b);
    CHECK(many.unwrapped().state() == plain.state());
  }
}

TEST_CASE("A random action does what any allowed original does, with equal probability") {
  Rng rng(1);
  RandomActions environment(Echo{}, 3);
  REQUIRE(environment.action_space().n == 9);
  environment.reset(rng);
  for (Index action = 0; action < 3; ++action) CHECK(taken(environment, action, rng) == action);
  for (const bool masked : {false, true}) {
    if (masked) environment.step(0, rng);  // after an odd number of steps action 1 is not allowed
    for (Index action = 3; action < 9; ++action) {
      Index counts[3] = {};
      for (int i = 0; i < 3'000; ++i) ++counts[taken(environment, action, rng)];
      for (Index k = 0; k < 3; ++k) {
        CAPTURE(masked, action, k);
        const double expected = masked ? (k == 1 ? 0 : 1'500) : 1'000;
        CHECK(std::abs(static_cast<double>(counts[k]) - expected) <= (expected > 0 ? 5 * 27.5 : 0));  // 5 deviations
      }
    }
  }
  RandomActions unmasked(CartPole{}, 2);  // draws among all
  bool seen[2] = {};
  for (int i = 0; i < 100; ++i) {
    unmasked.unwrapped().set_state({});
    unmasked.step(3, rng);
    seen[unmasked.unwrapped().state()[1] > 0] = true;
  }
  CHECK((seen[0] && seen[1]));
}

TEST_CASE("More actions are allowed where their originals are") {
  Rng rng(1);
  DuplicateActions duplicates(Echo{}, 2);
  RandomActions random(Echo{}, 2);
  duplicates.reset(rng);
  random.reset(rng);
  CHECK(mask_of(duplicates) == std::vector<bool>(6, true));
  duplicates.step(0, rng);
  random.step(0, rng);
  CHECK(mask_of(duplicates) == std::vector{true, true, false, false, true, true});
  CHECK(mask_of(random) == std::vector{true, false, true, true, true, true});
}

TEST_CASE("A semi-duplicate acts by a part of the torque") {
  Rng rng(1);
  const SemiDuplicateActions environment(DiscretizedActions(Pendulum{}, 3), 3, 0.5);
  REQUIRE(environment.action_space().n == 9);
  const float torques[] = {-2, -1, -1, 0, 0, 0, 2, 1, 1};
  for (Index action = 0; action < 9; ++action) {
    CHECK(environment.vector(action)[0] == torques[action]);
    auto copy = environment;
    Pendulum plain;
    copy.unwrapped().unwrapped().set_state({0.5, 1.0});
    plain.set_state({0.5, 1.0});
    CHECK(copy.step(action, rng).reward == plain.step(environment.vector(action), rng).reward);
    CHECK(copy.unwrapped().unwrapped().state() == plain.state());
  }
  const SemiDuplicateActions whole(DiscretizedActions(Pendulum{}, 3), 4, 1.0);
  const DuplicateActions exact(DiscretizedActions(Pendulum{}, 3), 4);
  CHECK(whole.similarity() == exact.similarity());
  for (Index action = 0; action < 12; ++action)
    CHECK(whole.vector(action) == exact.unwrapped().vector(exact.original(action)));
}

TEST_CASE("Matrices of similarity are symmetric with a unit diagonal, in blocks as actions are ordered") {  // T5
  const auto expect = [](const Matrix<double>& similarity, const Matrix<double>& expected) {
    CHECK(similarity == expected);
    CHECK(similarity == similarity.transpose());
    CHECK((similarity.diagonal().array() == 1).all());
  };
  const Matrix<double> ones = Matrix<double>::Ones(3, 3);
  Matrix<double> duplicates = Matrix<double>::Zero(6, 6);
  duplicates.topLeftCorner(3, 3) = duplicates.bottomRightCorner(3, 3) = ones;
  expect(DuplicateActions(CartPole{}, 3).similarity(), duplicates);
  CHECK(environments::similarity_of_copies(6, 3) == duplicates);
  CHECK_THROWS_WITH(environments::similarity_of_copies(6, 4), Catch::Contains("divide the 6 actions"));

  const DiscretizedActions torques(Pendulum{}, 3);
  for (const double effect : {0.5, 0.0}) {
    Matrix<double> outer(3, 3), semi = Matrix<double>::Zero(9, 9);
    outer << 1, effect, effect, effect, 1, 1, effect, 1, 1;
    semi.block(0, 0, 3, 3) = semi.block(6, 6, 3, 3) = outer;
    semi.block(3, 3, 3, 3) = ones;
    expect(SemiDuplicateActions(torques, 3, effect).similarity(), semi);
  }

  Matrix<double> random = Matrix<double>::Identity(6, 6);
  random.block(2, 2, 4, 4).setOnes();
  expect(RandomActions(CartPole{}, 3).similarity(), random);

  const Matrix<double> none = Matrix<double>::Identity(3, 3);
  expect(DuplicateActions(torques, 1).similarity(), none);
  expect(RandomActions(torques, 1).similarity(), none);
  expect(SemiDuplicateActions(torques, 1, 0.3).similarity(), none);
}

namespace {

/// An environment whose actions are positive.
struct Throttle {
  Box observation_space() const { return {1, 0, 1}; }
  Box action_space() const { return {{-1, 0.5f}, {1, 1}}; }
  void reset(Rng&) {}
  Step step(const Vector<float>&, Rng&) { return {}; }
  void observe(VectorRef<float> out) const { out.setZero(); }
};

}  // namespace

TEST_CASE("Numbers that make no set of actions are refused in words") {
  using Catch::Contains;
  const DiscretizedActions torques(Pendulum{}, 3);
  CHECK_THROWS_WITH(DuplicateActions(CartPole{}, 0), Contains("DuplicateActions: copies must be positive (got 0)"));
  CHECK_THROWS_WITH(DuplicateActions(CartPole{}, std::numeric_limits<Index>::max() / 2 + 1),
                    Contains("too many actions"));
  CHECK_THROWS_WITH(RandomActions(CartPole{}, -1), Contains("RandomActions: copies must be positive (got -1)"));
  CHECK_THROWS_WITH(SemiDuplicateActions(torques, 0, 0.5), Contains("copies must be positive"));
  for (const double effect : {-0.1, 1.1, std::nan("")})
    CHECK_THROWS_WITH(SemiDuplicateActions(torques, 2, effect), Contains("effect must lie in [0, 1]"));
  CHECK_THROWS_WITH(SemiDuplicateActions(DiscretizedActions(Throttle{}, 2), 2, 0.5),
                    Contains("must enclose 0") && Contains("got 1"));
}
