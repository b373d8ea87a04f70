// SPDX-License-Identifier: Apache-2.0
#include <array>
#include <cmath>
#include <optional>

#include <mellow/core/rng.hpp>
#include <mellow/core/state.hpp>
#include <mellow/nn/moments.hpp>
#include <mellow/nn/optimizers.hpp>

#include "support/catch.hpp"

using namespace mellow;
using nn::Adam;
using nn::RAdam;
using nn::RMSProp;
using nn::Sgd;

namespace {
/// The first step after `forget`, over the learning rate, of an Adam whose counters are so large that its corrections
/// are 1, and whose state is m and v.
double next_step(double m, double v, double gradient, const auto& forget) {
  Adam::State<double> state;
  state.reset(1);
  state.m.setConstant(m);
  state.v.setConstant(v);
  state.m_steps = state.v_steps = 1'000'000;
  forget(state);
  Vector<double> theta = Vector<double>::Zero(1);
  Adam{.learning_rate = 1, .epsilon = 1e-300}.step(state, theta, Vector<double>::Constant(1, gradient));
  return -theta[0];
}
const auto nothing = [](auto&) {};
}  // namespace

TEST_CASE("Former moments weigh beta^k after k steps (optimizer_reset T1)") {
  Adam::State<double> old, fresh;
  old.reset(3);
  fresh.reset(3);
  const Eigen::Vector3d m(0.5, -2, 0), v(1, 3, 0.25);
  old.m = m;
  old.v = v;
  Rng rng(1);
  Vector<double> theta = Vector<double>::Zero(3), other = theta, gradient(3);
  for (int k = 1; k <= 8000; ++k) {
    for (double& g : gradient) g = rng.normal();
    Adam{}.step(old, theta, gradient);
    Adam{}.step(fresh, other, gradient);
    const auto share = [&](double expected) {
      CAPTURE(k);
      CHECK((old.v - fresh.v - expected * v).cwiseAbs().maxCoeff() < 3e-6);  // the sheet has six digits
      CHECK((old.v - fresh.v - std::pow(0.999, k) * v).cwiseAbs().maxCoeff() < 1e-12);
      CHECK((old.m - fresh.m - std::pow(0.9, k) * m).cwiseAbs().maxCoeff() < 1e-14);
    };
    if (k == 7) share(std::pow(0.999, 7));
    if (k == 250) share(0.778703);
    if (k == 1000) share(0.367695);
    if (k == 2000) share(0.135200);
    if (k == 4000) share(0.018279);
    if (k == 8000) share(0.000334);
  }
}

TEST_CASE("After a flip of the gradient Adam goes wrong for six steps, a reset one for none (optimizer_reset T2)") {
  const auto steps = [](bool reset) {
    Adam::State<double> state;
    state.reset(1);
    state.m.setOnes();
    state.v.setOnes();
    state.m_steps = state.v_steps = 1'000'000;
    if (reset) state.forget({});
    std::vector<double> sizes;
    Vector<double> theta = Vector<double>::Zero(1);
    for (int i = 0; i < 12; ++i) {
      const double before = theta[0];
      Adam{.learning_rate = 1, .epsilon = 1e-300}.step(state, theta, -Vector<double>::Ones(1));
      sizes.push_back(theta[0] - before);
    }
    return std::pair(sizes, theta[0]);
  };
  const auto [carried, total] = steps(false);
  const std::array expected{-0.8, -0.62, -0.458, -0.3122, -0.18098, -0.062882, 0.043406};
  for (std::size_t i = 0; i < expected.size(); ++i) CHECK(carried[i] == Approx(expected[i]).margin(5e-7));
  CHECK(total == Approx(-0.916268).margin(5e-7));
  for (const double size : steps(true).first) CHECK(size == Approx(1).epsilon(1e-12));
}

TEST_CASE("After a jump of the gradient's scale Adam steps too far, a reset one does not (optimizer_reset T3)") {
  CHECK(next_step(1, 1, 2, nothing) == Approx(1.098354).margin(5e-7));
  CHECK(next_step(1, 1, 10, nothing) == Approx(1.812403).margin(5e-7));
  CHECK(next_step(1, 1, 100, nothing) == Approx(3.286623).margin(5e-7));
  CHECK(next_step(1, 1, 1e9, nothing) == Approx(3.162278).margin(5e-7));
  for (const double k : {2, 10, 100}) CHECK(next_step(1, 1, k, [](auto& s) { s.forget({}); }) == Approx(1));
}

TEST_CASE("Partial resets need a counter a moment (optimizer_reset T4)") {
  const auto next = [](const auto& forget) { return next_step(1, 1, 1, forget); };
  CHECK(next(nothing) == Approx(1));
  CHECK(next([](auto& s) { s.forget({}); }) == Approx(1));
  CHECK(next([](auto& s) { s.forget({.second = false}); }) == Approx(1));
  CHECK(next([](auto& s) { s.forget({.first = false}); }) == Approx(1));
  CHECK(next([](auto& s) { s.forget(nn::Moments::counters_only()); }) == Approx(0.316228).margin(5e-7));
  // By hand, the counter kept or shared by both.
  CHECK(next([](auto& s) { s.m.setZero(); }) == Approx(0.1));
  CHECK(next([](auto& s) { s.v.setZero(); }) == Approx(31.622777).margin(5e-7));
  CHECK(next([](auto& s) { s.forget({.second = false, .counters = true}); }) == Approx(0.0316228).margin(5e-8));
  CHECK(next([](auto& s) { s.forget({.first = false, .counters = true}); }) == Approx(10));
}

namespace {
/// A sequence of 100 quadratics a |w - c|^2 / 2 in 20 dimensions, c normal and a = 10^u, u uniform in +- decades; 200
/// steps of Adam on each, after it has forgotten what is given. Returns the share of the loss that is left at the end
/// of one, mean over all and five seeds.
double loss_left(const std::optional<nn::Moments>& forget, double decades) {
  const Adam adam{.learning_rate = 0.02};
  double sum = 0;
  for (std::uint64_t seed = 0; seed < 5; ++seed) {
    Rng rng(seed);
    Adam::State<double> state;
    state.reset(20);
    Eigen::Vector<double, 20> w = Eigen::Vector<double, 20>::Zero(), c, gradient;
    for (int problem = 0; problem < 100; ++problem) {
      for (double& x : c) x = rng.normal();
      const double a = std::pow(10, rng.uniform(-decades, decades)), before = (w - c).squaredNorm();
      if (forget) state.forget(*forget);
      for (int k = 0; k < 200; ++k) {
        gradient = a * (w - c);
        adam.step(state, w, gradient);
      }
      sum += (w - c).squaredNorm() / before;
    }
  }
  return sum / 500;
}
}  // namespace

TEST_CASE("Resets pay where the scale of losses jumps, and cost where it stays (optimizer_reset T5)") {
  const nn::Moments all{}, first{.second = false}, second{.first = false}, counters = nn::Moments::counters_only();
  const double kept = loss_left({}, 2);
  CHECK(loss_left(all, 2) < 0.05);  // the sheet has 0.0066
  CHECK(kept > 0.15);               // 0.345
  CHECK((loss_left(first, 2) > 0.15 && loss_left(first, 2) < kept));
  CHECK(loss_left(second, 2) > kept);
  CHECK(loss_left(counters, 2) > kept);
  const double same = loss_left({}, 0);
  CHECK(same < 1e-3);  // 1e-5
  CHECK(loss_left(first, 0) < 1e-3);
  CHECK(loss_left(all, 0) == Approx(0.0072).epsilon(0.3));
  CHECK(loss_left(second, 0) > 10 * same);
  CHECK(loss_left(counters, 0) == Approx(0.064).epsilon(0.3));
}

TEST_CASE("Each optimiser forgets what it has of what is named") {
  const auto forgetful = []<class Optimizer>(const Optimizer& optimizer, const nn::Moments& which) {
    typename Optimizer::template State<double> state;
    state.reset(2);
    Vector<double> theta = Vector<double>::Zero(2);
    for (int i = 0; i < 3; ++i) optimizer.step(state, theta, Eigen::Vector2d(1, -2));
    state.forget(which);
    std::string zero;
    mellow::detail::visit_leaves("", state, [&](const std::string& name, const auto& piece) {
      if constexpr (requires { piece.isZero(0); }) zero += piece.size() > 0 && piece.isZero(0) ? name + " " : "";
      else zero += piece == 0 ? name + " " : "";
    });
    return zero;
  };
  const nn::Moments first{.second = false}, second{.first = false}, counters = nn::Moments::counters_only();
  CHECK(forgetful(Adam{}, first) == "m m_steps ");
  CHECK(forgetful(Adam{}, second) == "v v_steps ");
  CHECK(forgetful(Adam{}, counters) == "m_steps v_steps ");
  CHECK(forgetful(nn::AdamW{}, second) == "v v_steps ");
  CHECK(forgetful(RAdam{}, first) == "m m_steps ");
  const RMSProp rmsprop{.momentum = 0.9, .square = RMSProp::Square::Centred};
  CHECK(forgetful(rmsprop, first) == "m ");
  CHECK(forgetful(rmsprop, second) == "mean_square mean_gradient mean_steps ");
  CHECK(forgetful(rmsprop, counters) == "mean_steps ");
  CHECK(forgetful(nn::Adagrad{}, first) == "");
  CHECK(forgetful(nn::Adagrad{}, second) == "sum_of_squares ");
  const Sgd momentum{.momentum = 0.9};
  CHECK(forgetful(momentum, first) == "m m_steps ");
  CHECK(forgetful(momentum, second) == "");
  CHECK(forgetful(momentum, counters) == "m_steps ");
}

TEST_CASE("The first moment of a state can be read") {
  const auto reads = [](const auto& optimizer) {
    typename std::remove_cvref_t<decltype(optimizer)>::template State<double> state;
    state.reset(2);
    Vector<double> theta = Vector<double>::Zero(2);
    optimizer.step(state, theta, Eigen::Vector2d(1, -2));
    return Vector<double>(state.first_moment());
  };
  CHECK((reads(Adam{}) - Eigen::Vector2d(0.1, -0.2)).norm() < 1e-15);
  CHECK((reads(nn::AdamW{}) - Eigen::Vector2d(0.1, -0.2)).norm() < 1e-15);
  CHECK(reads(Sgd{.momentum = 0.9}) == Eigen::Vector2d(1, -2));
  CHECK(reads(Sgd{}).size() == 0);
  CHECK((reads(RMSProp{.decay = 0.75, .momentum = 0.9}) - Eigen::Vector2d(2, -2)).norm() < 1e-6);
}
