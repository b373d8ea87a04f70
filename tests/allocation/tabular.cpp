// SPDX-License-Identifier: Apache-2.0
// Tabular learning takes nothing from the heap from its first step on, UCT nothing after its first search.
#include <mellow/environments/cart_pole.hpp>
#include <mellow/environments/gridworlds.hpp>
#include <mellow/environments/tabular.hpp>
#include <mellow/models/uct.hpp>
#include <mellow/operators/explore.hpp>
#include <mellow/operators/mellowmax_policy.hpp>
#include <mellow/value/gradient_td.hpp>
#include <mellow/value/linear_td.hpp>
#include <mellow/value/similar_actions.hpp>
#include <mellow/value/tabular_q.hpp>

#include "allocation/counter.hpp"
#include "support/catch.hpp"

using namespace mellow;

namespace {

template <class... Parts>
std::size_t allocations_with(const Parts&... parts) {
  environments::Tabular lake(environments::frozen_lake());
  value::TabularQ agent(16, 4, {}, parts...);
  Rng rng(1);
  lake.reset(rng);
  agent.act(0, rng);  // a policy's probabilities are kept from the first choice on
  const std::size_t before = heap_allocations();
  for (int i = 0; i < 2'000; ++i) {
    const Index state = lake.state(), action = agent.act(state, rng);
    const Step step = lake.step(action, rng);
    agent.observe({state, action, step.reward, lake.state(), step.terminated, step.truncated}, rng);
    if (step.terminated) lake.reset(rng);
  }
  return heap_allocations() - before;
}

}  // namespace

TEST_CASE("A step of tabular learning does not allocate, for any parts") {
  using operators::explore;
  CHECK(allocations_with() == 0);
  CHECK(allocations_with(value::Sarsa{}, value::Dutch{}) == 0);
  CHECK(allocations_with(value::ExpectedSarsa{}, value::Replacing{}) == 0);
  CHECK(allocations_with(value::DoubleQ{}) == 0);
  CHECK(allocations_with(value::SimilarActions{Matrix<double>::Ones(4, 4)}) == 0);
  CHECK(allocations_with(operators::Mellowmax{}, explore(operators::Boltzmann{})) == 0);
  CHECK(allocations_with(value::Sarsa{}, explore(operators::MellowmaxPolicy{})) == 0);
  CHECK(allocations_with(value::DoubleQ{}, explore(operators::MellowmaxPolicy{})) == 0);
}

TEST_CASE("A step of linear prediction does not allocate") {
  const Vector<double> phi = Vector<double>::Random(20), next = Vector<double>::Random(20);
  value::LinearTd td(20, {.learning_rate = 0.01}, value::Accumulating{});
  value::LinearTd online(20, {.learning_rate = 0.01}, value::Dutch{});
  value::GradientTd gradient(20);
  const std::size_t before = heap_allocations();
  for (int i = 0; i < 100; ++i) {
    td.observe(phi, 1.0, next, i % 10 == 0);
    online.observe(phi, 1.0, next, i % 10 == 0);
    gradient.observe(phi, 1.0, next, i % 10 == 0);
  }
  CHECK(heap_allocations() - before == 0);
}

TEST_CASE("UCT's searches do not allocate") {
  const auto expect_none = [](auto environment) {
    Rng rng(1);
    environment.reset(rng);
    models::Uct uct(environment, {.simulations = 500});
    uct.search(environment, rng);
    const std::size_t before = heap_allocations();
    for (int i = 0; i < 5; ++i) uct.search(environment, rng);
    CHECK(heap_allocations() - before == 0);
  };
  expect_none(environments::Tabular(environments::frozen_lake()));
  expect_none(environments::CartPole{});
}
