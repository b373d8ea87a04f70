// SPDX-License-Identifier: Apache-2.0
#include <cmath>
#include <limits>
#include <stdexcept>
#include <tuple>
#include <vector>

#include <mellow/environments/cart_pole.hpp>
#include <mellow/environments/time_limit.hpp>
#include <mellow/nn/mlp.hpp>
#include <mellow/nn/sgd.hpp>
#include <mellow/policy/reinforce.hpp>
#include <mellow/tools/checkpoints.hpp>
#include <mellow/training/run.hpp>

#include "support/catch.hpp"
#include "support/gradient.hpp"
#include "support/temporary_directory.hpp"

using namespace mellow;
using namespace mellow::policy;
using Catch::Contains;
using operators::TemperatureGradient;

namespace {

constexpr double not_a_number = std::numeric_limits<double>::quiet_NaN();
const Vector<float> nothing = Vector<float>::Ones(1);

/// A step that an agent is shown.
struct Shown {
  Vector<float> observation;
  Index action = 0;
  double reward = 0;
  bool ended = false;
  std::array<bool, 3> mask{true, true, true};
};

/// Random steps of two inputs and three actions; an episode has 1 to 9, the last one ends. Half of the masks forbid an
/// action where `masked`.
std::vector<Shown> random_steps(int count, Rng& rng, bool masked) {
  std::vector<Shown> steps;
  for (int i = 0; i < count; ++i) {
    Shown step{.observation = Eigen::Vector2f(static_cast<float>(rng.normal()), static_cast<float>(rng.normal())),
               .action = rng.below(3),
               .reward = rng.normal(),
               .ended = i + 1 == count || rng.below(5) == 0};
    if (masked && rng.below(2) == 0) step.mask[static_cast<std::size_t>((step.action + 1) % 3)] = false;
    steps.push_back(step);
  }
  return steps;
}

/// Shows steps to an agent, which is asked for an action first, as in a run, so that it sees the mask.
template <class Agent>
void show(Agent& agent, const std::vector<Shown>& steps, Rng& rng) {
  for (const Shown& step : steps) {
    const Index asked = agent.act(step.observation, rng, step.mask);
    REQUIRE(step.mask[static_cast<std::size_t>(asked)]);
    agent.observe({step.observation, step.action, step.reward, step.observation, step.ended, false}, rng);
  }
}

/// The loss of REINFORCE at theta, as it is written on paper.
template <class Head>
double loss_on_paper(const nn::Mlp<double, nn::Tanh>& network, const Vector<double>& theta, const Head& head,
                     const ReinforceOptions& options, const std::vector<Shown>& steps) {
  std::vector<double> returns;
  for (std::size_t t = 0; t < steps.size(); ++t) {
    double sum = 0, factor = 1;
    for (std::size_t k = t; k < steps.size(); ++k) {
      sum += factor * steps[k].reward;
      factor *= options.discount;
      if (steps[k].ended) break;
    }
    returns.push_back(sum);
  }
  const double mean = training::mean(returns);
  double variance = 0, loss = 0;
  for (const double g : returns) variance += (g - mean) * (g - mean) / static_cast<double>(returns.size());
  nn::Mlp<double, nn::Tanh>::Tape tape;
  for (std::size_t t = 0; t < steps.size(); ++t) {
    double advantage = returns[t] - (options.baseline == Baseline::MeanReturn ? mean : 0);
    if (options.normalize_returns) advantage /= std::sqrt(variance);
    const Vector<double> x = network.forward(theta, Matrix<double>(steps[t].observation.cast<double>()), tape).col(0);
    std::vector<double> kept;
    Index among = 0;
    for (Index a = 0; a < 3; ++a)
      if (steps[t].mask[static_cast<std::size_t>(a)]) {
        if (a == steps[t].action) among = std::ssize(kept);
        kept.push_back(x[a]);
      }
    Vector<double> pi(std::ssize(kept));
    head.probabilities(Eigen::Map<const Vector<double>>(kept.data(), std::ssize(kept)), pi);
    loss -= advantage * std::log(pi[among]);
  }
  return loss / static_cast<double>(options.episodes);
}

template <class Head>
void expect_gradient_of_update(const Head& head, ReinforceOptions options, int count, bool masked) {
  Rng rng(4);
  const auto steps = random_steps(count, rng, masked);
  options.episodes = std::count_if(steps.begin(), steps.end(), [](const Shown& step) { return step.ended; });
  const nn::Mlp<double, nn::Tanh> network({2, 5, 3});
  Reinforce agent(network, options, head, nn::Sgd{.learning_rate = 0.0});
  const Vector<double> theta = agent.parameters();
  show(agent, steps, rng);
  REQUIRE(agent.updates() == 1);
  REQUIRE(agent.gradient().norm() > 1e-3);
  CHECK(agent.parameters() == theta);
  expect_gradient([&](const Vector<double>& at) { return loss_on_paper(network, at, head, options, steps); }, theta,
                  agent.gradient());
}

/// One state, three actions with these rewards, of which the mask may forbid the best; an episode is one step.
struct Bandit {
  bool forbids_best = false;
  Box observation_space() const { return Box(1, 0.0f, 1.0f); }
  Discrete action_space() const { return Discrete(3); }
  template <class Generator>
  void reset(Generator&) {}
  template <class Generator>
  Step step(Index action, Generator& rng) {
    return {.reward = std::array{0.0, 0.5, 1.0}[static_cast<std::size_t>(action)] + rng.normal(), .terminated = true};
  }
  void observe(VectorRef<float> out) const { out.setOnes(); }
  void action_mask(std::span<bool> out) const {
    std::fill(out.begin(), out.end(), true);
    if (forbids_best) out[2] = false;
  }
};

using Cart = environments::TimeLimit<environments::CartPole>;

}  // namespace

TEST_CASE("The mellowmax head has the reference values") {  // the paper's sheet, section 3.5
  const Eigen::Vector4d x(0.3, -0.2, 0.7, 0.1);
  Vector<double> out(4);
  CHECK(MellowmaxHead{.omega = 4}.log_probability_gradient(x, 2, out) == Approx(std::log(0.50517327)).margin(1e-8));
  CHECK((out - Eigen::Vector4d(-0.53544376, -0.06881614, 0.89888961, -0.29462971)).cwiseAbs().maxCoeff() < 6e-9);
  const MellowmaxHead stopped{.omega = 4, .temperature_gradient = TemperatureGradient::Stopped};
  CHECK(stopped.log_probability_gradient(x, 2, out) == Approx(std::log(0.50517327)).margin(1e-8));
  const double beta = 1.879516518;
  const Eigen::Vector4d pi(0.23819624, 0.09306858, 0.50517327, 0.16356191);
  CHECK((out - beta * (Eigen::Vector4d::Unit(2) - pi)).cwiseAbs().maxCoeff() < 2e-8);
}

TEST_CASE("A head's gradient is that of its log-probability, and its scores have mean 0") {
  Rng rng(3);
  const auto check = [&](const auto& head, double precision) {
    for (int i = 0; i < 100; ++i) {
      Vector<double> x(2 + rng.below(5));
      for (double& value : x) value = rng.normal();
      Vector<double> pi(x.size()), gradient(x.size()), score = Vector<double>::Zero(x.size());
      head.probabilities(x, pi);
      const Vector<double> at = pi;
      CHECK(at.sum() == Approx(1));
      for (Index a = 0; a < x.size(); ++a) {
        CHECK(head.log_probability_gradient(x, a, gradient) == Approx(std::log(at[a])).margin(1e-12));
        score += at[a] * gradient;
        const auto log_probability = [&](const Vector<double>& y) {
          head.probabilities(y, pi);
          return std::log(pi[a]);
        };
        CHECK(nn::gradient_check(log_probability, x, gradient) < precision);
      }
      CHECK(score.cwiseAbs().maxCoeff() < 1e-10);  // so that a baseline does not bias
    }
  };
  check(SoftmaxHead{.beta = 2}, 1e-7);
  check(SoftmaxHead{.beta = -0.5}, 1e-7);
  check(MellowmaxHead{.omega = 4}, 1e-6);
  check(MellowmaxHead{.omega = -4}, 1e-6);
}

TEST_CASE("A head neither overflows nor loses what is unlikely") {
  const Eigen::Vector3d x(1e4, 0, -1e4);
  Vector<double> out(3);
  CHECK(SoftmaxHead{}.log_probability_gradient(x, 2, out) == Approx(-2e4));
  CHECK((out - Eigen::Vector3d(-1, 0, 1)).cwiseAbs().maxCoeff() < 1e-300);
  CHECK(std::isfinite(MellowmaxHead{}.log_probability_gradient(x, 2, out)));
  CHECK(out.allFinite());
}

TEST_CASE("Where outputs lie close together the mellowmax head is a softmax of omega / 2") {
  const Eigen::Vector3d x(1e-6, 0, -2e-6);
  Vector<double> ours(3), softmax(3);
  MellowmaxHead{.omega = 6}.probabilities(x, ours);
  SoftmaxHead{.beta = 3}.probabilities(x, softmax);
  CHECK((ours - softmax).cwiseAbs().maxCoeff() < 1e-9);
}

TEST_CASE("Returns are discounted within an episode") {
  Episodes<float> episodes(1, 2);
  const auto push = [&](double reward, bool ended) { episodes.push(nothing, 0, reward, {}, ended); };
  std::vector<double> returns{7};
  episodes.returns(0.5, returns);
  CHECK(returns.empty());
  push(1, false);
  push(2, false);
  push(4, true);
  push(8, true);
  push(16, false);  // has not ended
  episodes.returns(0.5, returns);
  CHECK(returns == std::vector<double>{3, 4, 4, 8});
  CHECK(episodes.mean_of_first(returns) == 5.5);
  CHECK(episodes.finished() == 2);
  episodes.returns(0, returns);
  CHECK(returns == std::vector<double>{1, 2, 4, 8});
  episodes.forget_finished();  // the episode that goes on stays
  CHECK(episodes.size() == 1);
  CHECK(episodes.finished() == 0);
  push(32, true);
  episodes.returns(0.5, returns);
  CHECK(returns == std::vector<double>{32, 32});
}

TEST_CASE("An update follows the gradient of the loss through network and head") {
  for (const bool masked : {false, true})
    for (const Baseline baseline : {Baseline::None, Baseline::MeanReturn})
      for (const bool normalize : {false, true}) {
        const ReinforceOptions options{.discount = 0.9, .baseline = baseline, .normalize_returns = normalize};
        expect_gradient_of_update(SoftmaxHead{.beta = 1.5}, options, 40, masked);
        expect_gradient_of_update(MellowmaxHead{.omega = 5}, options, 40, masked);
      }
  expect_gradient_of_update(MellowmaxHead{.omega = -5}, {}, 2500, true);  // several passes through the network
}

TEST_CASE("What an update finds, by hand") {
  // Zero parameters: three actions of probability 1/3. Returns 1 and 3.
  Reinforce agent(nn::Mlp<double>({1, 3}), {.episodes = 2, .baseline = Baseline::None, .normalize_returns = false},
                  nn::Sgd{.learning_rate = 1.0}, nn::pretrained(Vector<double>::Zero(6)));
  Rng rng(0);
  const auto one = [&](Index action, double reward, bool truncated) {
    return agent.observe({nothing, action, reward, nothing, !truncated, truncated}, rng);
  };
  CHECK_FALSE(one(0, 1, false));
  const auto learned = one(2, 3, true);  // a truncated episode counts as it is
  REQUIRE(learned);
  CHECK(learned->loss == Approx(0.5 * (1 + 3) * std::log(3)));
  CHECK(learned->mean_return == 2);
  CHECK(learned->entropy == Approx(std::log(3)));
  const Eigen::Vector3d d = -0.5 * (Eigen::Vector3d(1, 0, 3) - Eigen::Vector3d::Constant(4 / 3.0));  // weight, and bias
  CHECK(learned->gradient_norm == Approx(std::sqrt(2.0) * d.norm()));
  CHECK((agent.parameters().head(3) + d).norm() < 1e-14);
  CHECK(agent.episodes().size() == 0);
  CHECK(learned->metrics()[2].value == learned->entropy);
}

TEST_CASE("Equal returns without a baseline are divided by nothing, and with one teach nothing") {
  Rng rng(0);
  for (const Baseline baseline : {Baseline::None, Baseline::MeanReturn}) {
    Reinforce agent(nn::Mlp<double>({1, 3}), {.episodes = 2, .baseline = baseline});
    for (int i = 0; i < 2; ++i) agent.observe({nothing, 0, 0.1, nothing, true, false}, rng);
    CHECK(agent.gradient().allFinite());
    CHECK((agent.gradient().norm() < 1e-12) == (baseline == Baseline::MeanReturn));
  }
}

TEST_CASE("REINFORCE finds the best arm, and the best that is allowed") {
  for (const bool forbids_best : {false, true}) {
    const auto reached = [&](const auto& head) {
      Reinforce agent(nn::Mlp{{1, 3}}, {.seed = 2}, head, nn::Adam{.learning_rate = 0.03});
      training::train(agent, Bandit{forbids_best}, {.steps = 0, .episodes = 5'000, .evaluate_every = 0, .seed = 2});
      const std::array<bool, 3> mask{true, true, !forbids_best};
      CHECK(agent.greedy(nothing, mask) == (forbids_best ? 1 : 2));
      return agent.probabilities(nothing, mask).maxCoeff();
    };
    CHECK(reached(SoftmaxHead{}) > 0.7f);
    CHECK(reached(MellowmaxHead{}) > 0.7f);
    CHECK(reached(MellowmaxHead{.temperature_gradient = TemperatureGradient::Stopped}) > 0.7f);
  }
}

TEST_CASE("A run of REINFORCE that crashes and is started again ends as one that did not") {
  const TemporaryDirectory directory;
  struct CrashAt {
    std::int64_t step;
    void on_step(const training::RunStatus& status) const {
      if (status.step == step) throw std::runtime_error("crash");
    }
  };
  const auto make = [] { return Reinforce(nn::Mlp{{4, 8, 2}}, {.episodes = 3, .seed = 3}, MellowmaxHead{}); };
  const auto run = [](auto& agent, const std::filesystem::path& folder, std::int64_t crash) {
    tools::Checkpoints checkpoints(folder, {.every = 100});
    return training::train(agent, Cart(environments::CartPole{}, 60),
                           {.steps = 1'000, .evaluate_every = 300, .evaluation_episodes = 2, .seed = 5}, checkpoints,
                           CrashAt{crash});
  };
  auto whole = make();
  const auto expected = run(whole, directory / "whole", -1);
  REQUIRE(whole.updates() > 5);
  for (const std::int64_t crash : {50, 100, 101, 555, 999}) {
    const auto folder = directory / fmt::format("crash{}", crash);
    auto broken = make(), agent = make();
    CHECK_THROWS_WITH(run(broken, folder, crash), "crash");
    const auto result = run(agent, folder, -1);
    CHECK(first_difference(agent, whole).empty());
    CHECK(result.best_parameters == expected.best_parameters);
    CHECK(std::tuple(result.steps, result.episodes, result.best_step, result.best_return) ==
          std::tuple(expected.steps, expected.episodes, expected.best_step, expected.best_return));
  }
}

TEST_CASE("REINFORCE refuses what it cannot work with") {
  const nn::Mlp network{{1, 3}};
  CHECK_THROWS_WITH(Reinforce(network, {.discount = 1.1}), "policy::Reinforce: discount must lie in [0, 1] (got 1.1)");
  CHECK_THROWS_WITH(Reinforce(network, {.episodes = 0}), Contains("episodes must be positive (got 0)"));
  CHECK_THROWS_WITH(Reinforce(network, {.max_gradient_norm = 0}), Contains("max_gradient_norm must be positive"));
  CHECK_THROWS_WITH(Reinforce(network, {}, SoftmaxHead{.beta = 0}), Contains("beta must be finite and not 0"));
  CHECK_THROWS_WITH(Reinforce(network, {}, MellowmaxHead{.omega = 0}), Contains("omega must be finite and not 0"));
  CHECK_THROWS_WITH(Reinforce(network, {}, nn::Adam{.learning_rate = -1.0}), Contains("learning_rate"));

  Reinforce agent(network, {.episodes = 1});
  Rng rng(0);
  CHECK_THROWS_WITH(agent.act(Vector<float>::Ones(2), rng), Contains("an observation needs 1 numbers (got 2)"));
  const std::array<bool, 3> none{false, false, false}, middle{false, true, false};
  CHECK_THROWS_WITH(agent.act(nothing, rng, none), Contains("the mask allows no action"));
  CHECK_THROWS_WITH(agent.learn(), Contains("an update needs an episode that has ended (got 0)"));
  const auto observe = [&](Index action, double reward) {
    return agent.observe({nothing, action, reward, nothing, true, false}, rng);
  };
  CHECK_THROWS_WITH(observe(3, 0), Contains("there is no such action (got 3)"));
  CHECK_THROWS_WITH(observe(0, not_a_number), Contains("a reward must be finite (got nan)"));
  CHECK(agent.act(nothing, rng, middle) == 1);
  CHECK_THROWS_WITH(observe(0, 1), Contains("the mask did not allow the action (got 0)"));
  CHECK_THROWS_WITH(agent.set_parameters(Vector<float>::Zero(5)), Contains("the network has 6 parameters (got 5)"));
  CHECK_THROWS_WITH(agent.require_fits(Box(2, 0.0f, 1.0f), Discrete(3)), Contains("needs 2 inputs"));
  CHECK_THROWS_WITH(agent.require_fits(Box(1, 0.0f, 1.0f), Discrete(2)), Contains("needs 2 outputs"));
}

TEST_CASE("Parameters that are not finite end acting and learning in words, and are left as they are") {
  Reinforce agent(nn::Mlp{{1, 3}}, {.episodes = 1});
  Rng rng(0);
  const Vector<float> broken = Vector<float>::Constant(6, std::numeric_limits<float>::infinity());
  agent.set_parameters(broken);
  CHECK_THROWS_WITH(agent.act(nothing, rng), Contains("the network's outputs are not finite"));
  CHECK_THROWS_WITH(agent.greedy(nothing), Contains("the network's outputs are not finite"));
  CHECK_THROWS_WITH(agent.observe({nothing, 0, 1.0, nothing, true, false}, rng),
                    Contains("the loss of update 1 is not finite"));
  CHECK(agent.parameters() == broken);
}

TEST_CASE("REINFORCE takes parts without options") {
  const Reinforce brief(nn::Mlp{{1, 3}}, nn::Sgd{});
  const Reinforce whole(nn::Mlp{{1, 3}}, ReinforceOptions{}, nn::Sgd{});
  STATIC_REQUIRE(std::same_as<decltype(brief), decltype(whole)>);
  CHECK(brief.parameters() == whole.parameters());
}
