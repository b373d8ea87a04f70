// SPDX-License-Identifier: Apache-2.0
// An update of double DQN with 100 actions, 4-256-256-100 at batch 16: of the action that was taken, and of all that are
// like it; their losses alone; and the g-score of one state, in double.
#include <limits>

#include <mellow/nn/mlp.hpp>
#include <mellow/value/dqn.hpp>
#include <mellow/value/g_score.hpp>
#include <mellow/value/similarity_head.hpp>

#include "shapes.hpp"

namespace {

using namespace mellow;

constexpr Index actions = 100;

/// Two actions, 50 of each.
Matrix<double> duplicates() {
  Matrix<double> similarity = Matrix<double>::Zero(actions, actions);
  similarity.topLeftCorner(actions / 2, actions / 2).setOnes();
  similarity.bottomRightCorner(actions / 2, actions / 2).setOnes();
  return similarity;
}

template <class Head>
auto trained_agent(const Head& head) {
  value::Dqn agent(
      nn::Mlp({4, 256, 256, actions}),
      {.batch_size = 16, .learning_starts = 500, .max_gradient_norm = std::numeric_limits<double>::infinity()}, head,
      value::DoubleQ{}, value::Polyak{});
  Rng rng;
  const Box space(4, -1, 1);
  Vector<> next = space.sample(rng);
  for (Index i = 0; i < 1'500; ++i) {
    const Vector<> observation = next;
    next = space.sample(rng);
    agent.observe({observation, rng.below(actions), rng.uniform(), next, rng.uniform() < 0.05, false}, rng);
  }
  return agent;
}

template <class Head>
void add(const std::string& name, const Head& head) {
  benchmark::RegisterBenchmark(name.c_str(), [=](benchmark::State& state) {
    auto agent = trained_agent(head);
    Rng rng;
    for (auto _ : state) agent.learn(rng);
    speed::report_rate(state, "updates/s", 1);
  });
  benchmark::RegisterBenchmark((name + "/loss").c_str(), [=](benchmark::State& state) {
    auto agent = trained_agent(head);
    auto& l = agent.learner();
    const Matrix<> q = Matrix<>::Random(actions, l.batch.size());
    for (auto _ : state) {
      l.head.template targets<float>(l.head_state, value::DoubleQ{}, l.batch, q, q);
      benchmark::DoNotOptimize(l.head.template evaluate<float>(l.head_state, l.batch, q, l.d_outputs));
      benchmark::ClobberMemory();
    }
    speed::report_rate(state, "updates/s", 1);
  });
}

void g_score(benchmark::State& state) {
  const nn::Mlp<double> network({4, 256, 256, 10});
  Rng rng;
  const Vector<double> theta = nn::initialize(network, rng);
  const Matrix<double> states = Matrix<double>::Random(4, 1), similarity = Matrix<double>::Identity(10, 10);
  for (auto _ : state) benchmark::DoNotOptimize(value::g_score(network, theta, states, similarity, 1e-3));
  speed::report_rate(state, "states/s", 1);
}

}  // namespace

int main(int argc, char** argv) {
  add("taken_action_100", value::ScalarHead{.loss = value::TdLoss::huber()});
  add("similar_actions_100", value::SimilarityHead{.similarity = duplicates()});
  benchmark::RegisterBenchmark("g_score_10", g_score);
  benchmark::Initialize(&argc, argv);
  benchmark::RunSpecifiedBenchmarks();
}
