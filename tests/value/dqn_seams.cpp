// SPDX-License-Identifier: Apache-2.0
// Parts that exist only here prove that Dqn's seams carry what the papers need.
#include <mellow/nn/mlp.hpp>
#include <mellow/nn/sgd.hpp>
#include <mellow/value/dqn.hpp>

#include "support/catch.hpp"
#include "support/replay.hpp"

using namespace mellow;
using value::Dqn;

namespace {

const nn::Mlp<double> network({2, 8, 3});

constexpr value::DqnOptions small{.batch_size = 8, .learning_starts = 10};

/// Resets Adam whenever the target changes, and counts.
struct ForgetAtTargetChange {
  using role = roles::Hook;

  template <class Scalar>
  struct State {
    int times = 0;
    template <class Self, class Visit>
    static void visit_state(Self& self, Visit&& visit) {
      visit("times", self.times);
    }
  };
  int* seen;
  template <class Scalar, class Learner>
  void after_target_change(State<Scalar>& state, Learner& learner, Rng&) const {
    learner.optimizer_state.forget({});
    *seen = ++state.times;
  }
};

/// Draws the online parameters half-way to the target's.
struct HalfWay {
  using role = roles::Pull;
  template <class Learner>
  void pull(Learner& learner, Rng&) const {
    learner.online = 0.5 * (learner.online + learner.target);
  }
};

/// Records the order of the moments.
struct Order {
  using role = roles::Hook;
  std::string* log;
  template <class Learner>
  void after_sample(Learner& learner, Rng&) const {
    *log += learner.batch.rewards.isZero() ? "!" : "s";
  }
  template <class Learner>
  void before_step(Learner& learner, Rng&) const {
    *log += learner.gradient.isZero() ? "!" : "b";
  }
  template <class Learner>
  void after_step(Learner&, Rng&) const {
    *log += "a";
  }
  template <class Learner>
  void after_target_change(Learner&, Rng&) const {
    *log += "t";
  }
};

/// A network of another type: Q is linear in the observation.
struct Linear {
  using Scalar = double;
  struct Tape {
    const double* input = nullptr;
    Matrix<double> output;
  };
  Index inputs() const { return 2; }
  Index outputs() const { return 3; }
  Index parameters() const { return 6; }
  std::vector<Segment> segments() const { return {{"weight", {3, 2}, 0, 2}}; }
  const Matrix<double>& forward(const ConstVectorRef<double>& theta, const ConstMatrixRef<double>& x,
                                Tape& tape) const {
    tape.input = x.data();
    return tape.output = theta.reshaped(3, 2) * x;
  }
  void backward(const ConstVectorRef<double>&, Tape& tape, const ConstMatrixRef<double>& d,
                VectorRef<double> gradient) const {
    gradient.reshaped(3, 2) += d * Eigen::Map<const Matrix<double>>(tape.input, 2, d.cols()).transpose();
  }
};

/// Follows by gradient steps on the batch towards the online network's values, as Lookahead-Replicate does.
struct FollowInFunctionSpace {
  using role = roles::Tracking;
  double rate = 0.1;
  template <class Scalar>
  struct State {
    Vector<Scalar> gradient;
    template <class Self, class Visit>
    static void visit_state(Self&, Visit&&) {}
  };
  template <class Scalar, class Learner>
  bool update(State<Scalar>& state, Learner& l, Rng& rng) const {
    l.replay.sample(l.replay_state, l.batch, rng);
    state.gradient = Vector<Scalar>::Zero(l.target.size());
    const Matrix<Scalar> online = l.network.forward(l.online, l.batch.observations, l.tape);
    const Matrix<Scalar> difference = l.target_network.forward(l.target, l.batch.observations, l.target_tape) - online;
    l.target_network.backward(l.target, l.target_tape, difference / static_cast<Scalar>(difference.size()),
                              state.gradient);
    l.target -= rate * state.gradient;
    return true;
  }
};

/// A replay in which every second sample counts nothing (each transition of these tests takes two places).
struct EverySecondCounts {
  using role = roles::Replay;
  data::UniformReplay uniform;
  template <class Scalar, class Action>
  using State = data::UniformReplay::State<Scalar, Action>;
  template <class Scalar, class Action>
  auto make_state(Index features) const {
    return uniform.make_state<Scalar, Action>(features);
  }
  void push(auto& state, const auto& transition) const { uniform.push(state, transition); }
  void sample(auto& state, auto& batch, Rng& rng) const {
    uniform.sample(state, batch, rng);
    for (Index i = 0; i < batch.size(); ++i) batch.weights[i] = batch.indices[i] % 4 == 0 ? 1.0 : 0.0;
  }
};

/// A head that is a distribution over two atoms, 0 and 1: Q = p(1) = sigmoid(l_1 - l_0), learned by cross-entropy with
/// the projected target.
struct TwoAtoms {
  using role = roles::Head;
  using Action = Index;
  template <class Scalar>
  struct State {
    Vector<Scalar> labels;  // probability of atom 1
    template <class Self, class Visit>
    static void visit_state(Self&, Visit&&) {}
  };
  static auto upper(const auto& outputs, Index a, Index i) {
    return 1.0 / (1.0 + std::exp(outputs(2 * a, i) - outputs(2 * a + 1, i)));
  }
  Matrix<double> values(const auto& outputs) const {
    return Matrix<double>::NullaryExpr(outputs.rows() / 2, outputs.cols(),
                                       [&](Index a, Index i) { return upper(outputs, a, i); });
  }
  Index greedy(const auto& outputs) const { return operators::argmax(values(outputs).col(0)); }
  Index random(Index outputs, Rng& rng) const { return rng.below(outputs / 2); }
  void require_fits(Index outputs, const Discrete& actions) const {
    require(outputs == 2 * actions.n, "TwoAtoms", "two outputs an action", outputs);
  }
  template <class Scalar, class B>
  void targets(State<Scalar>& state, const B& backup, const data::Batch<Scalar>& batch,
               const ConstMatrixRef<Scalar>& target_next, const ConstMatrixRef<Scalar>&) const {
    state.labels.resize(batch.size());
    const Matrix<Scalar> q = values(target_next);
    for (Index i = 0; i < batch.size(); ++i) {
      const Scalar p = upper(target_next, backup.select(q.col(i)), i), bootstrap = batch.discounts[i];
      const auto clip = [](Scalar y) { return std::clamp(y, Scalar(0), Scalar(1)); };
      state.labels[i] = (1 - p) * clip(batch.rewards[i]) + p * clip(batch.rewards[i] + bootstrap);
    }
  }
  template <class Scalar>
  Scalar evaluate(const State<Scalar>& state, data::Batch<Scalar>& batch, const ConstMatrixRef<Scalar>& outputs,
                  MatrixRef<Scalar> d) const {
    d.setZero();
    Scalar total = 0;
    for (Index i = 0; i < batch.size(); ++i) {
      const Index a = batch.actions[i];
      const Scalar p = upper(outputs, a, i), y = state.labels[i],
                   share = batch.weights[i] / static_cast<Scalar>(batch.size());
      total -= share * (y * std::log(p) + (1 - y) * std::log1p(-p));
      batch.errors[i] = p - y;
      d(2 * a + 1, i) = share * (p - y);
      d(2 * a, i) = -share * (p - y);
    }
    return total;
  }
};

}  // namespace

TEST_CASE("A hook acts when the target changes, with state of its own") {
  int seen = 0;
  Dqn agent(network, small, value::PeriodicCopy{.every = 7}, ForgetAtTargetChange{&seen});
  show_random_transitions(agent, 9 + 23);
  CHECK(agent.learner().counters.updates == 23);
  CHECK(agent.learner().counters.target_changes == 3);
  CHECK(seen == 3);
  CHECK(agent.learner().optimizer_state.m_steps == 2);
  CHECK(agent.learner().optimizer_state.steps == 23);
}

TEST_CASE("The moments come in order, for each of several hooks") {
  std::string one, two;
  Dqn agent(network, small, Order{&one}, value::PeriodicCopy{.every = 2}, Order{&two});
  show_random_transitions(agent, 9 + 4);
  CHECK(one == "sbasbatsbasbat");
  CHECK(two == one);
}

TEST_CASE("A pull acts on the old parameters, after the gradient and before the step") {
  Dqn plain(network, small, nn::Sgd{.learning_rate = 0.1}, value::PeriodicCopy{.every = 1000});
  Dqn pulled(network, small, nn::Sgd{.learning_rate = 0.1}, value::PeriodicCopy{.every = 1000}, HalfWay{});
  show_random_transitions(plain, 9);
  show_random_transitions(pulled, 9);
  for (auto* l : {&plain.learner().online, &pulled.learner().online}) *l += Vector<double>::LinSpaced(l->size(), -1, 1);
  const Vector<double> before = plain.parameters();
  Rng a(1), b(1);
  plain.learn(a);
  pulled.learn(b);
  const Vector<double> step = plain.parameters() - before;  // the gradient is that of the old parameters in both
  CHECK((pulled.parameters() - (0.5 * (before + pulled.learner().target) + step)).cwiseAbs().maxCoeff() < 1e-14);
}

TEST_CASE("The target network may be of another type") {
  Dqn agent(network, small, value::TargetNetwork{Linear{}}, FollowInFunctionSpace{});
  CHECK(agent.learner().target.size() == 6);
  const Vector<double> before = agent.learner().target;
  show_random_transitions(agent, 500);
  CHECK(agent.learner().target != before);
  CHECK(agent.learner().counters.target_changes == agent.learner().counters.updates);
  nn::Mlp<double>::Tape tape;
  Linear::Tape target_tape;
  auto& l = agent.learner();  // the target has come close to the online function, as far as a linear one can
  const double distance = (l.network.forward(l.online, l.batch.observations, tape) -
                           l.target_network.forward(l.target, l.batch.observations, target_tape))
                              .norm();
  const double at_first = (l.network.forward(l.online, l.batch.observations, tape) -
                           l.target_network.forward(before, l.batch.observations, target_tape))
                              .norm();
  CHECK(distance < 0.8 * at_first);
}

TEST_CASE("A target network of the same type but another shape needs a tracking part of its own") {
  CHECK_THROWS_WITH(Dqn(network, small, value::TargetNetwork{nn::Mlp<double>({2, 4, 3})}),
                    Catch::Contains("same parameters"));
  CHECK_THROWS_WITH(Dqn(network, small, value::TargetNetwork{nn::Mlp<double>({3, 4, 3})}, FollowInFunctionSpace{}),
                    Catch::Contains("must take 2 inputs"));
  Dqn agent(network, small, value::TargetNetwork{nn::Mlp<double>({2, 4, 3})}, FollowInFunctionSpace{});
  show_random_transitions(agent, 50);
}

TEST_CASE("Weights of samples scale their share of loss and gradient") {
  Dqn agent(network, small, EverySecondCounts{{.capacity = 1000}});
  show_random_transitions(agent, 100);
  const auto& l = agent.learner();
  int count = 0;
  for (Index i = 0; i < l.batch.size(); ++i) {
    const bool counts = l.batch.indices[i] % 4 == 0;
    count += counts;
    CHECK(l.d_outputs.col(i).isZero(0) != counts);
  }
  CHECK((count > 0 && count < l.batch.size()));
}

TEST_CASE("A head may be a distribution") {
  Dqn agent(nn::Mlp<double>({2, 16, 6}), {.discount = 0.5, .batch_size = 16, .learning_starts = 10}, TwoAtoms{},
            nn::Adam{.learning_rate = 1e-2});
  agent.require_fits(Box(2, -1, 1), Discrete(3));
  Rng rng(1);
  const Vector<float> o = Eigen::Vector2f(1, 0);  // one state, ended by every action; action 2 pays 0.9, the others 0.1
  for (int i = 0; i < 2000; ++i) {
    const Index action = agent.act(o, rng);
    agent.observe({o, action, action == 2 ? 0.9 : 0.1, o, true, false}, rng);
  }
  CHECK(agent.greedy(o) == 2);
  nn::Mlp<double>::Tape tape;
  const Matrix<double> q = TwoAtoms{}.values(agent.network().forward(agent.parameters(), o.cast<double>(), tape));
  CHECK(q(2, 0) == Approx(0.9).margin(0.05));
  CHECK(q(0, 0) == Approx(0.1).margin(0.05));
}

TEST_CASE("The states of all parts belong to the agent's state") {
  int seen = 0;
  const Dqn agent(network, small, ForgetAtTargetChange{.seen = &seen}, EverySecondCounts{});
  std::vector<std::string> paths;
  for (const auto& piece : state_of(agent)) paths.push_back(piece.path);
  CHECK(std::ranges::count(paths, "hook0.times") == 1);
  CHECK(std::ranges::count(paths, "learner.replay.rewards") == 1);
}

TEST_CASE("A deep Q agent takes parts without options") {
  const Dqn brief(network, value::DoubleQ{}, nn::Sgd{});
  const Dqn whole(network, value::DqnOptions{}, value::DoubleQ{}, nn::Sgd{});
  STATIC_REQUIRE(std::same_as<decltype(brief), decltype(whole)>);
  CHECK(brief.parameters() == whole.parameters());
  CHECK(brief.options().batch_size == value::DqnOptions{}.batch_size);
}
