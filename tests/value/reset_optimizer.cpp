// SPDX-License-Identifier: Apache-2.0
#include <mellow/nn/mlp.hpp>
#include <mellow/nn/optimizers.hpp>
#include <mellow/value/dqn.hpp>
#include <mellow/value/reset_optimizer.hpp>

#include "support/catch.hpp"
#include "support/replay.hpp"

using namespace mellow;
using value::Dqn;
using value::ResetOptimizer;

namespace {

const nn::Mlp<double> network({2, 8, 3});

constexpr value::DqnOptions small{.batch_size = 8, .learning_starts = 10};

/// The agent after so many updates.
template <class... Parts>
auto after(int updates, const Parts&... parts) {
  Dqn agent(network, small, parts...);
  show_random_transitions(agent, 9 + updates);
  REQUIRE(agent.learner().counters.updates == updates);
  return agent;
}

}  // namespace

TEST_CASE("A reset at each change of the target makes the next step a first step, and the learning rate goes on") {
  const auto agent = after(23, value::PeriodicCopy{.every = 7}, ResetOptimizer{});
  const auto& adam = agent.learner().optimizer_state;
  CHECK((adam.m_steps == 2 && adam.v_steps == 2 && adam.steps == 23));
  CHECK(agent.state<ResetOptimizer>().resets == 3);
  const auto at_change = after(21, value::PeriodicCopy{.every = 7}, ResetOptimizer{});
  CHECK((at_change.learner().optimizer_state.m.isZero(0) && at_change.learner().optimizer_state.v.isZero(0)));
  CHECK(at_change.parameters() == at_change.learner().target);  // which the reset leaves alone
}

TEST_CASE("A reset by updates knows no target, and may be of one moment or the counters") {
  const value::PeriodicCopy rare{.every = 1000};
  const auto all = after(23, value::PeriodicCopy{.every = 7}, ResetOptimizer{.every = 10});
  CHECK((all.learner().optimizer_state.m_steps == 3 && all.learner().optimizer_state.v_steps == 3));
  CHECK(all.state<ResetOptimizer>().resets == 2);
  const auto first = after(20, rare, ResetOptimizer{.moments = {.second = false}, .every = 10});
  const auto& m_only = first.learner().optimizer_state;
  CHECK((m_only.m.isZero(0) && !m_only.v.isZero(0) && m_only.m_steps == 0 && m_only.v_steps == 20));
  const auto second = after(20, rare, ResetOptimizer{.moments = {.first = false}, .every = 10});
  const auto& v_only = second.learner().optimizer_state;
  CHECK((!v_only.m.isZero(0) && v_only.v.isZero(0) && v_only.m_steps == 20 && v_only.v_steps == 0));
  const auto counters = after(20, rare, ResetOptimizer{.moments = nn::Moments::counters_only(), .every = 10});
  const auto& t_only = counters.learner().optimizer_state;
  CHECK((!t_only.m.isZero(0) && !t_only.v.isZero(0) && t_only.m_steps == 0 && t_only.v_steps == 0));
  CHECK(t_only.steps == 20);
}

TEST_CASE("Resets at random come about once in `every` updates, by the agent's generator") {
  const value::PeriodicCopy rare{.every = 100'000};
  const ResetOptimizer random{.every = 20, .at_random = true};
  const auto agent = after(4000, rare, random), again = after(4000, rare, random);
  CHECK(agent.state<ResetOptimizer>().resets == Approx(200).margin(56));  // four standard deviations
  CHECK(agent.learner().optimizer_state.m_steps > 0);                     // the last was not at a multiple of `every`
  CHECK(first_difference(agent, again) == "");
}

TEST_CASE("With a reset after every update Adam is sign descent with an epsilon (optimizer_reset T7)") {
  const nn::Adam adam{.learning_rate = 0.01, .epsilon = 1e-3};
  auto agent = after(5, adam, value::PeriodicCopy{.every = 1}, ResetOptimizer{});
  const Vector<double> before = agent.parameters();
  Rng rng(3);
  agent.learn(rng);
  const auto& g = agent.learner().gradient.array();
  const Vector<double> expected = before.array() - 0.01 * g / (g.abs() + 1e-3);
  CHECK((agent.parameters() - expected).cwiseAbs().maxCoeff() < 1e-15);
  CHECK(agent.parameters() != before);
}

TEST_CASE("Without momentum Sgd has nothing to forget: resets change no bit of the run (optimizer_reset section 2)") {
  const value::PeriodicCopy often{.every = 5};
  const auto reset = after(50, nn::Sgd{}, often, ResetOptimizer{});
  const auto plain = after(50, nn::Sgd{}, often);
  CHECK(reset.state<ResetOptimizer>().resets == 10);
  CHECK(first_difference(reset.learner(), plain.learner()) == "");
  const auto adam = after(50, often, ResetOptimizer{});
  const auto other = after(50, often);
  CHECK(first_difference(adam.learner(), other.learner()) != "");
}

TEST_CASE("Any optimiser of the library can be reset") {
  const auto goes = [](const auto& optimizer) {
    const auto agent = after(20, optimizer, value::PeriodicCopy{.every = 7}, ResetOptimizer{});
    return agent.template state<ResetOptimizer>().resets == 2 && agent.parameters().allFinite();
  };
  CHECK(goes(nn::AdamW{}));
  CHECK(goes(nn::RAdam{}));
  CHECK(goes(nn::RMSProp{.momentum = 0.9, .debias = true}));
  CHECK(goes(nn::RMSProp::nature()));
  CHECK(goes(nn::Adagrad{}));
  CHECK(goes(nn::Sgd{.momentum = 0.9}));
}

TEST_CASE("Resets that make no sense are refused") {
  CHECK_THROWS_WITH(Dqn(network, small, ResetOptimizer{.every = -1}),
                    Catch::Contains("value::ResetOptimizer: every must not be negative") && Catch::Contains("-1"));
  CHECK_THROWS_WITH(Dqn(network, small, ResetOptimizer{.at_random = true}), Catch::Contains("positive `every`"));
  CHECK_THROWS_WITH(Dqn(network, small, ResetOptimizer{.moments = {.first = false, .second = false}}),
                    Catch::Contains("nothing to be forgotten"));
}
