// SPDX-License-Identifier: Apache-2.0
// Sheet lookahead_replicate.md: section 2 (deep version), section 3 T6 (gradients).
#include <mellow/data/prioritized_replay.hpp>
#include <mellow/nn/mlp.hpp>
#include <mellow/nn/noisy.hpp>
#include <mellow/nn/sequential.hpp>
#include <mellow/nn/sgd.hpp>
#include <mellow/value/categorical_head.hpp>
#include <mellow/value/dqn.hpp>
#include <mellow/value/quantile_head.hpp>
#include <mellow/value/replicate.hpp>

#include "support/gradient.hpp"
#include "support/replay.hpp"

using namespace mellow;
using Catch::Contains;
using value::CategoricalHead;
using value::Dqn;
using value::QuantileHead;
using value::Replicate;
using value::ScalarHead;

namespace {

const nn::Mlp<double> network({2, 8, 3});
constexpr value::DqnOptions small{.batch_size = 8, .learning_starts = 10};

Matrix<double> normals(Index rows, Index columns, Rng& rng) {
  Matrix<double> m(rows, columns);
  for (double& x : m.reshaped()) x = rng.normal();
  return m;
}

/// The distance by its definition: `of_action` of the blocks of an action's numbers, mean over what counts.
template <class OfAction>
double defined_distance(const Matrix<double>& outputs, const Matrix<double>& wanted, Index width,
                        const std::vector<Index>& taken, const OfAction& of_action) {
  double sum = 0;
  Index count = 0;
  for (Index i = 0; i < outputs.cols(); ++i)
    for (Index a = 0; a < outputs.rows() / width; ++a)
      if (taken.empty() || taken[static_cast<std::size_t>(i)] == a) {
        sum += of_action(outputs.col(i).segment(a * width, width), wanted.col(i).segment(a * width, width));
        ++count;
      }
  return sum / static_cast<double>(count);
}

double mean_square(const Vector<double>& x, const Vector<double>& y) {
  return (x - y).squaredNorm() / static_cast<double>(x.size());
}

double cross_entropy(const Vector<double>& x, const Vector<double>& y) {
  Vector<double> p(x.size()), wanted(x.size());
  softmax(x, p);
  softmax(y, wanted);
  return -wanted.dot(p.array().log().matrix());
}

template <class Head, class OfAction>
void check_distance(const Head& head, Index width, const OfAction& of_action) {
  Rng rng(1);
  const Index rows = 3 * width, samples = 5;
  const Matrix<double> outputs = normals(rows, samples, rng), wanted = normals(rows, samples, rng);
  for (const std::vector<Index>& taken : {std::vector<Index>{}, {2, 0, 1, 1, 2}}) {
    Matrix<double> d(rows, samples), same(rows, samples);
    const auto distance = [&](const Vector<double>& x) {
      return head.template distance<double>(x.reshaped(rows, samples), wanted, taken, d);
    };
    CHECK(distance(outputs.reshaped()) == Approx(defined_distance(outputs, wanted, width, taken, of_action)));
    const Matrix<double> gradient = d;
    expect_gradient(distance, outputs.reshaped(), gradient.reshaped());
    for (Index i = 0; i < std::ssize(taken); ++i)
      for (Index a = 0; a < 3; ++a)
        CHECK(gradient.col(i).segment(a * width, width).isZero(0) == (a != taken[static_cast<std::size_t>(i)]));
    const Matrix<double> copy = wanted;
    head.template distance<double>(copy, wanted, taken, same);
    CHECK(same.isZero(0));
  }
}

/// Q is a table: a row of theta a state, which the observation names as one-hot.
struct Table {
  using Scalar = double;
  Index states, values;
  struct Tape {
    Matrix<double> input, output;
  };
  Index inputs() const { return states; }
  Index outputs() const { return values; }
  Index parameters() const { return states * values; }
  std::vector<Segment> segments() const { return {{"weight", {values, states}, 0, states}}; }
  const Matrix<double>& forward(const ConstVectorRef<double>& theta, const ConstMatrixRef<double>& x,
                                Tape& tape) const {
    tape.input = x;
    return tape.output = theta.reshaped(values, states) * x;
  }
  void backward(const ConstVectorRef<double>&, Tape& tape, const ConstMatrixRef<double>& d,
                VectorRef<double> gradient) const {
    gradient.reshaped(values, states) += d * tape.input.transpose();
  }
};

}  // namespace

TEST_CASE("The distance of values is the mean square, of distributions the cross-entropy (T6)", "[gradient]") {
  check_distance(ScalarHead{}, 1, mean_square);
  check_distance(QuantileHead{.quantiles = 4}, 4, mean_square);
  check_distance(CategoricalHead{.atoms = 7}, 7, cross_entropy);
}

TEST_CASE("The gradient of the cross-entropy is p of the target minus p of the online network, a share each (T6)") {
  Rng rng(2);
  const CategoricalHead head{.atoms = 51};
  const Matrix<double> outputs = normals(102, 4, rng), wanted = normals(102, 4, rng);
  Matrix<double> d(102, 4);
  head.distance<double>(outputs, wanted, {}, d);
  for (Index i = 0; i < 4; ++i)
    for (Index a = 0; a < 2; ++a) {
      Vector<double> p(51), q(51);
      softmax(outputs.col(i).segment(51 * a, 51), p);
      softmax(wanted.col(i).segment(51 * a, 51), q);
      CHECK((d.col(i).segment(51 * a, 51) - (p - q) / 8).cwiseAbs().maxCoeff() < 1e-16);
    }
}

TEST_CASE("Replicate of a table of distributions drives the divergence to 0 monotonically (T6)") {
  Rng rng(3);
  const CategoricalHead head{.atoms = 5};
  Matrix<double> theta = normals(10, 3, rng), d(10, 3);
  const Matrix<double> wanted = normals(10, 3, rng);
  const double entropy = head.distance<double>(wanted, wanted, {}, d);
  double before = std::numeric_limits<double>::infinity();
  for (int step = 0; step < 4'000; ++step) {
    const double divergence = head.distance<double>(theta, wanted, {}, d) - entropy;
    if (before > 1e-12) CHECK(divergence < before);
    before = divergence;
    theta -= 3 * d;
  }
  CHECK(before < 1e-12);
}

TEST_CASE("A Replicate is so many steps of the target's own optimiser on fresh batches, the online network at rest") {
  for (const bool all : {true, false}) {
    const Replicate<nn::Sgd> replicate{.every = 4, .steps = 3, .all_actions = all, .optimizer = {.learning_rate = 0.1}};
    Dqn agent(network, {.batch_size = 8, .learning_starts = 1'000}, replicate);
    show_random_transitions(agent, 100);
    agent.learner().target *= 0.5;
    Rng rng(1);
    for (int i = 0; i < 3; ++i) {
      const Vector<double> target = agent.learner().target;
      agent.learn(rng);
      CHECK(agent.learner().target == target);
    }
    Vector<double> theta = agent.learner().target;
    agent.learn(rng);  // the fourth

    auto again = Dqn(network, {.batch_size = 8, .learning_starts = 1'000}, value::PeriodicCopy{.every = 100});
    show_random_transitions(again, 100);
    again.learner().target *= 0.5;
    Rng same(1);
    for (int i = 0; i < 4; ++i) again.learn(same);
    CHECK(again.parameters() == agent.parameters());
    auto& l = again.learner();
    const auto learned_from = l.batch.indices;
    for (int step = 0; step < 3; ++step) {
      l.replay.sample(l.replay_state, l.batch, same);
      const auto distance = [&](const Vector<double>& x) {
        double sum = 0;
        for (Index i = 0; i < 8; ++i) {
          nn::Mlp<double>::Tape one, two;
          const Vector<double> error = network.forward(x, l.batch.observations.col(i), one).col(0) -
                                       network.forward(l.online, l.batch.observations.col(i), two).col(0);
          sum += all ? error.squaredNorm() / 3 : std::pow(error[l.batch.actions[i]], 2);
        }
        return sum / 8;
      };
      Vector<double> gradient(theta.size());
      for (Index k = 0; k < theta.size(); ++k) {
        Vector<double> up = theta, down = theta;
        up[k] += 1e-5, down[k] -= 1e-5;
        gradient[k] = (distance(up) - distance(down)) / 2e-5;
      }
      theta -= 0.1 * gradient;
    }
    CHECK((agent.learner().target - theta).cwiseAbs().maxCoeff() < 1e-8);
    CHECK(rng == same);
    CHECK(agent.learner().batch.indices == learned_from);  // what hooks see is the update's
    CHECK(agent.learner().counters.target_changes == 1);
  }
}

TEST_CASE("The target's optimiser goes on from one Replicate to the next") {
  Dqn agent(network, small, Replicate<>{.every = 10, .steps = 7});
  show_random_transitions(agent, 9 + 35);
  const auto steps_taken = [&] {
    for (const StatePiece& piece : state_of(agent))
      if (piece.path == "tracking.optimizer.m_steps") return *reinterpret_cast<const Index*>(piece.bytes.data());
    return Index{-1};
  };
  CHECK(steps_taken() == 3 * 7);
}

TEST_CASE("A Replicate changes no priority") {
  const data::PrioritizedReplay replay{.capacity = 100, .beta = 0.5};
  Dqn copies(network, {.batch_size = 8, .learning_starts = 1'000}, replay, value::PeriodicCopy{.every = 1'000});
  Dqn replicates(network, {.batch_size = 8, .learning_starts = 1'000}, replay, Replicate<>{.every = 1, .steps = 3});
  show_random_transitions(copies, 60);
  show_random_transitions(replicates, 60);
  Rng a(1), b(1);
  copies.learn(a);
  replicates.learn(b);
  CHECK(copies.learner().target != replicates.learner().target);
  CHECK(
      first_difference(copies.learner().replay_state.priorities, replicates.learner().replay_state.priorities).empty());
}

TEST_CASE("Online and target network may be of different types") {
  const Table table{2, 3};
  value::TargetNetwork target{table};
  Dqn agent(network, small, target, Replicate<>{.every = 20, .steps = 50, .optimizer = {.learning_rate = 1e-2}});
  const auto distance = [&](const Vector<double>& theta) {  // from the online network, over what is remembered
    Rng rng(5);
    double sum = 0;
    for (int i = 0; i < 200; ++i) {
      const Vector<double> o = Eigen::Vector2d(rng.normal(), 1);
      nn::Mlp<double>::Tape tape;
      Table::Tape target_tape;
      sum += (network.forward(agent.parameters(), o, tape) - table.forward(theta, o, target_tape)).squaredNorm() / 200;
    }
    return sum;
  };
  const Vector<double> at_first = agent.learner().target;
  show_random_transitions(agent, 9 + 600);
  CHECK(agent.learner().counters.target_changes == 30);
  CHECK(distance(agent.learner().target) < 0.2 * distance(at_first));

  const value::TargetNetwork wide{nn::Mlp<double>({2, 16, 3})};
  Dqn wider(network, small, wide, Replicate<>{.every = 20});
  show_random_transitions(wider, 100);
  CHECK(wider.learner().counters.target_changes == 4);
}

TEST_CASE("Values of the networks become equal and their parameters do not") {
  const Table two{3, 3};  // a table whose third input is the sum of the others: other parameters, same values
  Dqn agent(two, {.discount = 0.5, .batch_size = 32, .learning_starts = 100}, ScalarHead{},
            nn::Sgd{.learning_rate = 0.1},
            Replicate<nn::Sgd>{.every = 50, .steps = 100, .optimizer = {.learning_rate = 0.1}});
  Rng rng(4);
  agent.learner().target = normals(9, 1, rng);
  for (int i = 0; i < 3'000; ++i) {
    const auto observation = [&] {
      const float first = rng.uniform() < 0.5 ? 0.0f : 1.0f;
      return Vector<float>(Eigen::Vector3f(first, 1 - first, 1));
    };
    const Index action = rng.below(3);
    agent.observe({observation(), action, static_cast<double>(action), observation(), false, i % 10 == 9}, rng);
  }
  const auto& l = agent.learner();
  Matrix<double> states(3, 2);
  states << 0, 1, 1, 0, 1, 1;
  const Matrix<double> difference = l.online.reshaped(3, 3) - l.target.reshaped(3, 3);
  CHECK((difference * states).cwiseAbs().maxCoeff() < 1e-3);
  CHECK(difference.cwiseAbs().maxCoeff() > 0.1);
  for (Index a = 0; a < 3; ++a)  // best: r + 0.5 * 4
    CHECK((l.online.reshaped(3, 3) * states)(a, 0) == Approx(static_cast<double>(a) + 2).margin(0.05));
}

TEST_CASE("Only the actions that were taken are learned where all are not asked for") {
  const auto rows_that_move = [&](bool all) {
    Dqn agent(network, small, Replicate<>{.every = 5, .all_actions = all});
    agent.learner().target *= 0.5;
    const Vector<double> before = agent.learner().target;
    Rng rng(1);
    for (int i = 0; i < 20; ++i) {
      const Vector<float> o = Vector<float>::Random(2);
      agent.observe({o, 1, 0.0, o, true, false}, rng);
    }
    std::array<bool, 3> moved{};
    const Segment bias = network.segments().back();
    for (Index a = 0; a < 3; ++a)
      moved[static_cast<std::size_t>(a)] = before[bias.offset + a] != agent.learner().target[bias.offset + a];
    return moved;
  };
  CHECK(rows_that_move(true) == std::array{true, true, true});
  CHECK(rows_that_move(false) == std::array{false, true, false});
}

TEST_CASE("Distributions and noisy networks are followed") {
  const nn::Sequential noisy(nn::Dense<double>(2, 16), nn::ReLU{}, nn::NoisyDense<double>(16, 15));
  const auto check = [&](const auto& head) {
    const Replicate<> often{.every = 1, .steps = 300, .optimizer = {.learning_rate = 1e-2}};
    Dqn agent(noisy, {.batch_size = 32, .learning_starts = 1'000}, head, often, nn::Sgd{.learning_rate = 0.0});
    show_random_transitions(agent, 200);
    auto& l = agent.learner();
    const Vector<double> deviations = l.online;
    Rng rng(1);
    l.target = nn::initialize(noisy, rng);
    const auto distance = [&] {
      silence(l.network, l.tape);
      silence(l.target_network, l.target_tape);
      const Matrix<double> wanted = l.network.forward(l.online, l.batch.observations, l.tape),
                           outputs = l.target_network.forward(l.target, l.batch.observations, l.target_tape);
      Matrix<double> d(15, 32);
      return head.template distance<double>(outputs, wanted, {}, d) -
             head.template distance<double>(wanted, wanted, {}, d);
    };
    l.replay.sample(l.replay_state, l.batch, rng);
    const double before = distance();
    agent.learn(rng);
    CHECK(distance() < 0.1 * before);
    for (const Segment& segment : noisy.segments())  // the target's noise is learned away
      if (segment.kind == Segment::Kind::Deviation)
        CHECK(l.target.segment(segment.offset, segment.size()).norm() <
              0.9 * l.online.segment(segment.offset, segment.size()).norm());
  };
  check(CategoricalHead{.atoms = 5});
  check(QuantileHead{.quantiles = 5});
}

TEST_CASE("A Replicate that does not fit is refused in words") {
  CHECK_THROWS_WITH(Dqn(network, small, Replicate<>{.every = 0}), Contains("value::Replicate: every must be positive"));
  CHECK_THROWS_WITH(Dqn(network, small, Replicate<>{.steps = 0}), Contains("steps must be positive"));
  CHECK_THROWS_WITH(Dqn(network, small, Replicate<>{.optimizer = {.learning_rate = -1}}), Contains("nn::Adam"));
  CHECK_THROWS_WITH(Dqn(network, small, value::TargetNetwork{nn::Mlp<double>({2, 8, 4})}, Replicate<>{}),
                    Contains("must have 3 outputs") && Contains("got 4"));
  Dqn agent(network, {.discount = 0, .batch_size = 8, .learning_starts = 1'000}, Replicate<>{.every = 2});
  show_random_transitions(agent, 20);
  Rng rng(1);
  agent.learn(rng);
  agent.learner().target.setConstant(1e200);
  CHECK_THROWS_WITH(agent.learn(rng), Contains("value::Replicate: the loss after 2 updates is not finite"));
}
