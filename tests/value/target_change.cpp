// SPDX-License-Identifier: Apache-2.0
#include <mellow/core/state.hpp>
#include <mellow/nn/mlp.hpp>
#include <mellow/nn/optimizers.hpp>
#include <mellow/value/dqn.hpp>
#include <mellow/value/reset_optimizer.hpp>
#include <mellow/value/target_change_diagnosis.hpp>
#include <mellow/value/target_movement.hpp>

#include "support/catch.hpp"
#include "support/replay.hpp"

using namespace mellow;
using value::Dqn;
using value::TargetChangeDiagnosis;
using value::TargetMovement;

namespace {

/// What the hooks look at of a learner, with gradients given by hand.
struct ByHand {
  nn::Adam::State<double> optimizer_state;
  Vector<double> gradient, online, target;

  explicit ByHand(Index parameters) {
    optimizer_state.reset(parameters);
    online = target = Vector<double>::Zero(parameters);
  }

  void update(const TargetChangeDiagnosis& hook, auto& state, const Vector<double>& g, double rate = 0.01) {
    Rng rng;
    gradient = g;
    hook.before_step(state, *this, rng);
    nn::Adam{.learning_rate = rate}.step(optimizer_state, online, gradient);
    hook.after_step(state, *this, rng);
  }
};

double cosine(const Vector<double>& a, const Vector<double>& b) { return a.dot(b) / (a.norm() * b.norm()); }

const nn::Mlp<double> network({2, 8, 3});
constexpr value::DqnOptions small{.batch_size = 8, .learning_starts = 10};

}  // namespace

TEST_CASE("The diagnosis compares momentum and gradient on both sides of a change (optimizer_reset T6)") {
  const TargetChangeDiagnosis hook{.small = 1e-3};
  TargetChangeDiagnosis::State<double> state;
  ByHand learner(3);
  Rng rng;
  learner.update(hook, state, Eigen::Vector3d(1, 0, 0));
  learner.update(hook, state, Eigen::Vector3d(3, 4, 0));
  hook.after_target_change(state, learner, rng);
  const Eigen::Vector3d before(0.1, 0, 0), including = 0.9 * before + 0.1 * Eigen::Vector3d(3, 4, 0);
  CHECK(state.cosine_before.mean() == Approx(0.6));
  CHECK(state.cosine_including.mean() == Approx(cosine(including, Eigen::Vector3d(3, 4, 0))));
  CHECK(state.cosine_after.count() == 0);
  const Eigen::Vector3d changed(-1, 1e-4, -9e-4);
  learner.update(hook, state, changed);
  CHECK(state.cosine_after.mean() == Approx(cosine(including, changed)));
  CHECK(state.norm_ratio.mean() == Approx(changed.norm() / 5));
  CHECK(state.small_share.mean() == Approx(2.0 / 3));
  learner.update(hook, state, Eigen::Vector3d(0, 0, 7));  // neither before nor after a change
  CHECK((state.cosine_before.count() == 1 && state.cosine_after.count() == 1));
  hook.after_target_change(state, learner, rng);
  CHECK(state.cosine_before.count() == 2);
}

TEST_CASE("Where momentum or gradient is nothing the cosine is missing, not 0 (optimizer_reset T6)") {
  const TargetChangeDiagnosis hook;
  TargetChangeDiagnosis::State<double> state;
  ByHand learner(2);
  Rng rng;
  learner.update(hook, state, Eigen::Vector2d(1, 1));  // the first momentum is 0
  hook.after_target_change(state, learner, rng);
  CHECK((state.cosine_before.count() == 0 && state.cosine_including.count() == 1));
  learner.optimizer_state.forget({});
  learner.update(hook, state, Eigen::Vector2d(1, 1));
  CHECK((state.cosine_after.count() == 0 && state.norm_ratio.count() == 1));
  learner.update(hook, state, Eigen::Vector2d(0, 0));
  hook.after_target_change(state, learner, rng);
  learner.update(hook, state, Eigen::Vector2d(1, 1));
  CHECK((state.cosine_before.count() == 0 && state.cosine_after.count() == 1 && state.norm_ratio.count() == 1));
}

TEST_CASE("The diagnosis measures the first ten steps after a change") {
  const TargetChangeDiagnosis hook;
  TargetChangeDiagnosis::State<double> state;
  ByHand learner(4);
  Rng rng;
  const Vector<double> ones = Vector<double>::Ones(4);
  for (int i = 0; i < 3; ++i) learner.update(hook, state, ones);
  for (int change = 0; change < 2; ++change) {
    hook.after_target_change(state, learner, rng);
    for (int i = 0; i < 15; ++i) learner.update(hook, state, ones, 0.1 * (i + 1) * (change + 1));
  }
  for (std::size_t i = 0; i < TargetChangeDiagnosis::steps; ++i) {
    CHECK(state.step_norms[i].count() == 2);
    CHECK(state.step_norms[i].mean() == Approx(0.1 * static_cast<double>(i + 1) * 1.5 * 2));  // rate sqrt(4)
  }
}

TEST_CASE("Of gradients that are noise, only a momentum that has them has a cosine: sqrt(1 - beta1^2)") {
  const TargetChangeDiagnosis hook;
  TargetChangeDiagnosis::State<double> state;
  ByHand learner(2000);
  Rng rng(1);
  Vector<double> noise(2000);
  for (int i = 0; i < 1000; ++i) {
    for (double& g : noise) g = rng.normal();
    learner.update(hook, state, noise);
    if (i >= 100 && i % 10 == 0) hook.after_target_change(state, learner, rng);
  }
  CHECK(state.cosine_before.mean() == Approx(0).margin(0.01));  // 90 cosines of deviation 1 / sqrt(2000)
  CHECK(state.cosine_after.mean() == Approx(0).margin(0.01));
  CHECK(state.cosine_including.mean() == Approx(std::sqrt(0.19)).margin(0.01));
}

TEST_CASE("An agent's hooks measure without changing its run, and stop short where its resets do") {
  const auto run = [](const auto&... parts) {
    Dqn agent(network, small, value::PeriodicCopy{.every = 7}, parts...);
    show_random_transitions(agent, 9 + 30);
    return agent;
  };
  const auto watched = run(TargetChangeDiagnosis{}, TargetMovement{});
  const auto plain = run();
  CHECK(first_difference(watched.learner(), plain.learner()) == "");
  const auto& found = watched.template state<TargetChangeDiagnosis>();
  CHECK((found.cosine_before.count() == 4 && found.cosine_after.count() == 4 && found.norm_ratio.count() == 4));
  CHECK((found.step_norms[0].count() == 4 && found.step_norms[6].count() == 3 && found.step_norms[7].count() == 0));
  const auto reset = run(value::ResetOptimizer{}, TargetChangeDiagnosis{});
  CHECK(reset.template state<TargetChangeDiagnosis>().cosine_after.count() == 0);
  CHECK(reset.template state<TargetChangeDiagnosis>().cosine_before.count() == 4);
  CHECK(reset.template state<TargetChangeDiagnosis>().cosine_including.count() == 4);
}

TEST_CASE("The target's movement is the distance between its changes") {
  Dqn agent(network, small, value::PeriodicCopy{.every = 5}, TargetMovement{});
  std::vector<Vector<double>> targets{agent.learner().target};
  Rng rng(9);
  for (int i = 0; i < 9 + 20; ++i) {
    show_random_transitions(agent, 1, rng.split());
    if (agent.learner().target != targets.back()) targets.push_back(agent.learner().target);
  }
  REQUIRE(targets.size() == 5);
  double sum = 0;
  for (std::size_t i = 1; i < 5; ++i) sum += (targets[i] - targets[i - 1]).norm();
  const auto& movement = agent.state<TargetMovement>();
  CHECK(movement.distance.mean() == Approx(sum / 4));
  CHECK(movement.distance.count() == 4);
  CHECK(movement.last == Approx((targets[4] - targets[3]).norm()));
}

TEST_CASE("What hooks have found belongs to the agent's state") {
  const Dqn agent(network, small, TargetChangeDiagnosis{}, TargetMovement{});
  std::vector<std::string> paths;
  for (const auto& piece : state_of(agent)) paths.push_back(piece.path);
  CHECK(std::ranges::count(paths, "hook0.step_norm9.mean") == 1);
  CHECK(std::ranges::count(paths, "hook0.since_change") == 1);
  CHECK(std::ranges::count(paths, "hook1.distance.mean") == 1);
  CHECK_THROWS_WITH(Dqn(network, small, TargetChangeDiagnosis{.small = 0}),
                    Catch::Contains("value::TargetChangeDiagnosis: small must be positive"));
}
