// SPDX-License-Identifier: Apache-2.0
// Your own network: a dueling network (Wang et al. 2016), Q(s, a) = V(s) + A(s, a) - mean_a A(s, a), over an Mlp that
// gives V and A together. A network is any type that models mellow::Network: shapes, and a forward and a backward pass
// over a flat vector of parameters. Its gradient is checked; then DQN trains it.
#include <mellow/environments/cart_pole.hpp>
#include <mellow/environments/time_limit.hpp>
#include <mellow/nn/gradient_check.hpp>
#include <mellow/nn/mlp.hpp>
#include <mellow/tools/command_line.hpp>
#include <mellow/tools/recorder.hpp>
#include <mellow/tools/weights.hpp>
#include <mellow/training/run.hpp>
#include <mellow/value/dqn.hpp>

using namespace mellow;

template <class Scalar_>
class Dueling {
 public:
  using Scalar = Scalar_;
  struct Tape {
    typename nn::Mlp<Scalar, nn::Tanh>::Tape trunk;
    Buffer<Scalar> q, d_trunk;
  };

  Dueling(Index inputs, Index actions) : trunk_({inputs, 64, 64, 1 + actions}) {}

  Index inputs() const { return trunk_.inputs(); }
  Index outputs() const { return trunk_.outputs() - 1; }
  Index parameters() const { return trunk_.parameters(); }
  std::vector<Segment> segments() const { return trunk_.segments(); }

  /// inputs x batch -> actions x batch.
  auto forward(const ConstVectorRef<Scalar>& theta, const ConstMatrixRef<Scalar>& input, Tape& tape) const {
    const auto y = trunk_.forward(theta, input, tape.trunk);
    auto q = tape.q.reshape(outputs(), y.cols());
    for (Index i = 0; i < y.cols(); ++i) {
      const auto advantage = y.col(i).tail(outputs()).array();
      q.col(i) = y(0, i) + advantage - advantage.mean();
    }
    return q;
  }

  /// dL/dV = sum_a dL/dQ_a;  dL/dA_a = dL/dQ_a - mean_b dL/dQ_b.
  void backward(const ConstVectorRef<Scalar>& theta, Tape& tape, const ConstMatrixRef<Scalar>& d_q,
                VectorRef<Scalar> gradient) const {
    auto d_y = tape.d_trunk.reshape(trunk_.outputs(), d_q.cols());
    d_y.row(0) = d_q.colwise().sum();
    d_y.bottomRows(outputs()) = d_q.rowwise() - d_q.colwise().mean();
    trunk_.backward(theta, tape.trunk, d_y, gradient);
  }

 private:
  nn::Mlp<Scalar, nn::Tanh> trunk_;
};

/// The largest disagreement of backward's gradient of sum(Q^2) / 2 with central differences, in double.
double gradient_error() {
  const Dueling<double> network(4, 2);
  Rng rng(1);
  const Vector<double> theta = nn::initialize(network, rng);
  const Matrix<double> observations = Matrix<double>::Random(4, 8);
  Dueling<double>::Tape tape;
  Vector<double> gradient = Vector<double>::Zero(network.parameters());
  const Matrix<double> q = network.forward(theta, observations, tape);
  network.backward(theta, tape, q, gradient);
  const auto loss = [&](const Vector<double>& at) { return network.forward(at, observations, tape).squaredNorm() / 2; };
  return nn::gradient_check(loss, theta, gradient);
}

int main(int argc, char** argv) {
  return run_main([&] {
    Index steps = 50'000;
    std::uint64_t seed = 0;
    std::filesystem::path output = "results/bring_your_own_network";
    CommandLine("Checks the gradient of a dueling network and trains it by DQN on CartPole-v1.")
        .option("--steps", steps, "environment steps to learn from", {.minimum = 1})
        .option("--seed", seed, "the same seed gives the same run")
        .option("--output", output, "folder for metrics, plot and weights")
        .parse(argc, argv);
    fmt::print("Largest error of the gradient against central differences: {:.1e}\n", gradient_error());

    const environments::TimeLimit environment(environments::CartPole{}, 500);
    value::Dqn agent(Dueling<float>(4, 2), {.seed = seed});
    tools::Recorder recorder(output, {.steps = steps, .title = "DQN with a dueling network on CartPole-v1"});
    training::OnImprovement keep(
        [&] { tools::save_weights(output / "weights.safetensors", agent.network(), agent.parameters()); });
    const auto run = training::train(agent, environment, {.steps = steps, .seed = seed}, recorder, keep);
    agent.set_parameters(run.best_parameters);

    fmt::print("Mean greedy return over 100 fresh episodes: {:.1f}, best weights from step {}.\nPlot: {}\n",
               training::mean(training::evaluate(agent, environment, 100, Rng(seed, training::streams::test))),
               run.best_step, (output / "learning_curve.png").string());
  });
}
