// SPDX-License-Identifier: Apache-2.0
// Operators over the action values of a state, value iteration under them, and TD updates with a frozen target.
#include <mellow/core/rng.hpp>
#include <mellow/environments/random_linear.hpp>
#include <mellow/environments/random_mdps.hpp>
#include <mellow/models/value_iteration.hpp>
#include <mellow/operators/boltzmann.hpp>
#include <mellow/operators/max.hpp>
#include <mellow/operators/mellowmax.hpp>
#include <mellow/operators/mellowmax_policy.hpp>
#include <mellow/value/expected_td.hpp>
#include <mellow/value/td_objective.hpp>

#include "shapes.hpp"

namespace {

using namespace mellow;

template <class Operator>
void apply(benchmark::State& state, const Operator& op) {
  const Matrix<float> q = Matrix<float>::Random(state.range(0), 256);
  for (auto _ : state)
    for (Index s = 0; s < q.cols(); ++s) benchmark::DoNotOptimize(op(q.col(s)));
  speed::report_rate(state, "states/s", static_cast<double>(q.cols()));
}
BENCHMARK_CAPTURE(apply, max, operators::Max{})->Name("operator_max")->Arg(2)->Arg(6)->Arg(18);
BENCHMARK_CAPTURE(apply, boltzmann, operators::Boltzmann{5})->Name("operator_boltzmann")->Arg(2)->Arg(6)->Arg(18);
BENCHMARK_CAPTURE(apply, mellowmax, operators::Mellowmax{5})->Name("operator_mellowmax")->Arg(2)->Arg(6)->Arg(18);

void policy(benchmark::State& state) {
  const Matrix<float> q = Matrix<float>::Random(state.range(0), 256);
  Vector<float> pi(q.rows());
  for (auto _ : state)
    for (Index s = 0; s < q.cols(); ++s) {
      operators::MellowmaxPolicy{5}.probabilities(q.col(s), pi);
      benchmark::DoNotOptimize(pi.data());
    }
  speed::report_rate(state, "states/s", static_cast<double>(q.cols()));
}
BENCHMARK(policy)->Name("mellowmax_policy")->Arg(2)->Arg(6)->Arg(18);

template <class Operator>
void plan(benchmark::State& state, const Operator& op) {
  Rng rng(1);
  const auto model = environments::garnet({.states = 1'000, .actions = 4, .branching = 5}, rng);
  Index sweeps = 0;
  for (auto _ : state) sweeps += models::generalized_value_iteration(model, op, {.discount = 0.9}).iterations;
  state.counters["states/s"] = benchmark::Counter(1'000.0 * static_cast<double>(sweeps), benchmark::Counter::kIsRate);
}
BENCHMARK_CAPTURE(plan, max, operators::Max{})->Name("value_iteration_max/1000");
BENCHMARK_CAPTURE(plan, mellowmax, operators::Mellowmax{5})->Name("value_iteration_mellowmax/1000");

/// Updates of 10 gradient steps on a process of 200 states.
void update_target(benchmark::State& state) {
  Rng rng(1);
  const value::ExpectedTd td(
      environments::random_linear_mrp({.states = 200, .features = state.range(0), .discount = 0.9}, rng));
  const value::GradientUpdate update{.steps = 10, .learning_rate = td.force_constants().learning_rate()};
  Vector<double> theta = Vector<double>::Zero(td.parameters());
  for (auto _ : state) theta = update(td, theta);
  speed::report_rate(state, "steps/s", 10);
}
BENCHMARK(update_target)->Name("td_gradient_steps")->Arg(5)->Arg(50);

}  // namespace

BENCHMARK_MAIN();
