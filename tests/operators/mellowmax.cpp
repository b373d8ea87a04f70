// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>
#include <vector>

#include <mellow/core/rng.hpp>
#include <mellow/operators/epsilon_greedy.hpp>
#include <mellow/operators/epsilon_mix.hpp>
#include <mellow/operators/max.hpp>
#include <mellow/operators/mean.hpp>
#include <mellow/operators/mellowmax_policy.hpp>
#include <mellow/operators/non_expansion.hpp>

#include "support/catch.hpp"
#include "support/gradient.hpp"

using namespace mellow;
using namespace mellow::operators;

namespace {

/// Random values of 2 to 8 actions, of scale 0.01 to 100, and an omega of either sign, 0.01 to 100 in size.
struct Drawn {
  explicit Drawn(Rng& rng) {
    q.resize(2 + rng.below(7));
    const double scale = std::pow(10.0, rng.uniform(-2, 2));
    for (double& x : q) x = rng.normal(0, scale);
    omega = std::pow(10.0, rng.uniform(-2, 2)) * (rng.below(2) == 1 ? 1 : -1);
  }
  Vector<double> q;
  double omega;
};

/// The same with values in [-1, 1] and omega in [-10, 10], where finite differences and quadrature keep their digits.
Drawn moderate(Rng& rng) {
  Drawn x(rng);
  x.q /= x.q.cwiseAbs().maxCoeff();
  x.omega = std::clamp(x.omega, -10.0, 10.0);
  return x;
}

double entropy(const Vector<double>& p) {
  double total = 0;
  for (const double x : p) total -= x > 0 ? x * std::log(x) : 0;
  return total;
}

}  // namespace

// The table of mellowmax, section 4.
TEST_CASE("Mellowmax, Boltzmann and the policy have the reference values") {
  struct Case {
    std::vector<double> q;
    double omega, mm, boltzmann, beta;
    std::vector<double> pi;
  };
  const Case cases[] = {
      {{1, 2, 3}, 1, 2.3089936757763, 2.5752103826044, 0.4811726668355, {.1909928, .30902073, .49998647}},
      {{1, 2, 3}, 5, 2.7816296309758, 2.9932172628009, 1.6410150980507, {.03049693, .15737651, .81212656}},
      {{1, 2, 3}, -5, 1.2183703690242, 1.0067827371991, -1.6410150980507, {.81212656, .15737651, .03049693}},
      {{0, 0, 0, 1},
       10,
       0.8613841829395,
       0.9998638187586,
       2.9254466986302,
       {.04620527, .04620527, .04620527, .86138418}},
      {{0, 1}, 1, 0.6201145069583, 0.7310585786300, 0.4900342764192, {.37988549, .62011451}},
      {{0, 1}, 100, 0.9930685281944, 1.0, 4.9647275005249, {.00693147, .99306853}},
      {{-1000, 1000}, 5, 999.861370563888, 1000, 0.004788391988, {6.93147e-5, .99993069}},
      {{.47, .57}, 16.55, 0.5386841933299, 0.5539565670185, 7.8539611471334, {.31315807, .68684193}},
  };
  for (const Case& c : cases) {
    CAPTURE(c.q, c.omega);
    const Eigen::Map<const Vector<double>> q(c.q.data(), static_cast<Index>(c.q.size()));
    Vector<double> pi(q.size());
    CHECK(Mellowmax{c.omega}(q) == Approx(c.mm).epsilon(1e-13));
    CHECK(Boltzmann{c.omega}(q) == Approx(c.boltzmann).epsilon(1e-13));
    CHECK(MellowmaxPolicy{c.omega}.inverse_temperature(q) == Approx(c.beta).epsilon(2e-10));
    MellowmaxPolicy{c.omega}.probabilities(q, pi);
    for (Index a = 0; a < q.size(); ++a)
      CHECK(pi[a] ==
            Approx(c.pi[static_cast<std::size_t>(a)]).margin(c.pi[static_cast<std::size_t>(a)] < 1e-3 ? 6e-11 : 6e-9));
  }
}

// The remaining tests of operators: mellowmax, section 4, items 1 to 5.
TEST_CASE("Mellowmax is a non-expansion, Boltzmann is not") {
  Rng rng(1);
  for (int i = 0; i < 2000; ++i) {
    const Drawn x(rng);
    Vector<double> y = x.q;
    const double shift = std::pow(10.0, rng.uniform(-3, 2));
    for (double& value : y) value += rng.normal(0, shift);
    const Mellowmax mm{x.omega};
    CHECK(std::abs(mm(x.q) - mm(y)) <= (x.q - y).cwiseAbs().maxCoeff() + 1e-12);
    const EpsilonMix mix{rng.uniform()};
    CHECK(std::abs(mix(x.q) - mix(y)) <= (x.q - y).cwiseAbs().maxCoeff() + 1e-12);
  }
  static_assert(NonExpansion<Mellowmax> && NonExpansion<EpsilonMix> && NonExpansion<Max> && NonExpansion<Mean>);
  static_assert(!NonExpansion<Boltzmann>);
  const Eigen::Vector2d x(0, .15), y(.05, .10);
  CHECK(Boltzmann{16.55}(x) == Approx(0.138435879).margin(5e-10));
  CHECK(Boltzmann{16.55}(y) == Approx(0.084791303).margin(5e-10));
  CHECK(Boltzmann{16.55}(x)-Boltzmann{16.55}(y) == Approx(0.053644576).margin(1e-9));  // > 0.05
  CHECK(Mellowmax{16.55}(x)-Mellowmax{16.55}(y) == Approx(0.032934893).margin(1e-9));
}

TEST_CASE("The largest local expansion of Boltzmann for two actions") {
  const auto expansion = [](double beta_gap) {
    Vector<double> gradient(2);
    Boltzmann{7.0}.gradient(Eigen::Vector2d(0, beta_gap / 7.0), gradient);
    return gradient.lpNorm<1>();
  };
  CHECK(expansion(2.39936) == Approx(1.19967864).margin(5e-9));
  for (double t = 0; t < 20; t += 0.01) CHECK(expansion(t) <= 1.19967865);
}

TEST_CASE("Mellowmax moves, scales, reflects and repeats with its values") {
  Rng rng(2);
  for (int i = 0; i < 500; ++i) {
    const Drawn x(rng);
    const Mellowmax mm{x.omega};
    const double margin = 1e-12 * (1 + x.q.cwiseAbs().maxCoeff()), c = rng.normal(0, 10), k = rng.uniform(0.1, 10);
    CHECK(mm((x.q.array() + c).matrix()) == Approx(mm(x.q) + c).margin(margin + 1e-11));
    CHECK(mm(k * x.q) == Approx(k * Mellowmax{k * x.omega}(x.q)).margin(20 * margin));
    CHECK(Mellowmax{-x.omega}(x.q) == Approx(-mm(-x.q)).margin(margin));
    Vector<double> twice(2 * x.q.size());
    twice << x.q, x.q;
    CHECK(mm(twice) == Approx(mm(x.q)).margin(margin));
  }
}

TEST_CASE("Mellowmax rises with every value and with omega, between mean and Boltzmann") {
  Rng rng(3);
  for (int i = 0; i < 500; ++i) {
    const Drawn x(rng);
    const double omega = std::abs(x.omega), mm = Mellowmax{omega}(x.q), slack = 1e-12 * x.q.cwiseAbs().maxCoeff();
    CHECK(x.q.mean() <= mm + slack);
    CHECK(mm <= Boltzmann{omega}(x.q) + slack);
    CHECK(Boltzmann{omega}(x.q) <= x.q.maxCoeff() + slack);
    CHECK(mm <= Mellowmax{1.5 * omega}(x.q) + slack);
    CHECK(Mellowmax{x.omega}(x.q) <= Mellowmax{x.omega + 0.01}(x.q) + slack);
    Vector<double> higher = x.q;
    higher[rng.below(higher.size())] += 1;
    CHECK(Mellowmax{x.omega}(x.q) <= Mellowmax{x.omega}(higher) + slack);
    const double n = static_cast<double>(x.q.size());
    CHECK(x.q.maxCoeff() - std::log(n) / omega <= mm + slack);  // one maximiser
    CHECK(Mellowmax{1e6}(x.q) == Approx(x.q.maxCoeff()).margin(3e-6));
    CHECK(Mellowmax{-1e6}(x.q) == Approx(x.q.minCoeff()).margin(3e-6));
    CHECK(Mellowmax{1e-8}(x.q) == Approx(x.q.mean()).margin(1e-3));
    const double variance = (x.q.array() - x.q.mean()).square().mean();
    CHECK(Mellowmax{1e-8}(x.q) == Approx(x.q.mean() + 0.5e-8 * variance).margin(1e-9 * variance * 1e-3 + slack));
  }
  CHECK(Mellowmax{3}(Eigen::Vector4d(2, 2, 2, -1e9)) == Approx(2 + std::log(0.75) / 3));  // three maximisers
}

TEST_CASE("Mellowmax keeps its precision for values that lie close and for huge ones, in float too") {
  for (const double t : {1e-15, 1e-9, 1e-6, 1e-3, 0.1, 0.9, 1.1, 3.0}) {
    const Eigen::Vector2d q(0, t);
    CHECK(Mellowmax{1}(q) == Approx(0.5 * t + std::log(std::cosh(0.5 * t))).epsilon(t < 1e-3 ? 1e-7 : 1e-13));
    const double small = Mellowmax{1e-6}(q);  // its log is that of 1 + something tiny
    CHECK(small == Approx(0.5 * t + 1e-6 * t * t / 8).epsilon(1e-14));
    CHECK(Mellowmax{1e-6}(q.cast<float>().eval()) == Approx(small).epsilon(1e-6));
  }
  CHECK(Mellowmax{5}(Eigen::Vector2d(1e6, 1e6 - 1)) == Approx(1e6 + std::log((1 + std::exp(-5.0)) / 2) / 5));
  CHECK(Mellowmax{5}(Eigen::Vector2d(1e300, -1e300)) == Approx(1e300));
  CHECK(std::isnan(Mellowmax{5}(Eigen::Vector2d(std::nan(""), 1))));
  CHECK(Mellowmax{5}(Eigen::Vector2d(-std::numeric_limits<double>::infinity(), 1)) == Approx(1 - std::log(2.0) / 5));
  CHECK_THROWS_AS(Mellowmax{0}.validate(), Error);
  CHECK_THROWS_AS(Mellowmax{std::nan("")}.validate(), Error);
  CHECK_THROWS_AS(Boltzmann{std::nan("")}.validate(), Error);
}

// mellowmax.md, sections 3.1 and 3.2.
TEST_CASE("Derivatives of mellowmax and Boltzmann") {
  Rng rng(4);
  for (int i = 0; i < 50; ++i) {
    const Drawn x = moderate(rng);
    Vector<double> gradient(x.q.size());
    Mellowmax{x.omega}.gradient(x.q, gradient);
    CHECK(gradient.minCoeff() >= 0);
    CHECK(gradient.sum() == Approx(1));
    expect_gradient([&](const auto& q) { return Mellowmax{x.omega}(q); }, x.q, gradient);
    Boltzmann{x.omega}.gradient(x.q, gradient);
    CHECK(gradient.sum() == Approx(1));
    expect_gradient([&](const auto& q) { return Boltzmann{x.omega}(q); }, x.q, gradient);
    const double slope = Mellowmax{x.omega}.omega_derivative(x.q);
    CHECK(slope >= 0);
    expect_gradient([&](const auto& omega) { return Mellowmax{omega[0]}(x.q); }, Vector<double>::Constant(1, x.omega),
                    Vector<double>::Constant(1, slope));
  }
}

TEST_CASE("The mellowmax policy has the value of mellowmax, starves no action, and is softmax of beta in [0, omega]") {
  Rng rng(5);
  for (int i = 0; i < 2000; ++i) {
    const Drawn x(rng);
    const MellowmaxPolicy policy{x.omega};
    Vector<double> pi(x.q.size());
    policy.probabilities(x.q, pi);
    const double beta = policy.inverse_temperature(x.q);
    CHECK(pi.dot(x.q) == Approx(Mellowmax{x.omega}(x.q)).margin(1e-9));
    CHECK((pi.minCoeff() > 0 || std::abs(beta) * (x.q.maxCoeff() - x.q.minCoeff()) > 700));  // else it underflows
    CHECK(beta / x.omega > 0);
    CHECK(beta / x.omega < 0.6);
    // The only softmax policy with this value: the value rises with beta.
    CHECK((Boltzmann{1.01 * beta}(x.q) - Boltzmann{beta}(x.q)) * beta > 0);
    CHECK(Boltzmann{beta}(x.q) == Approx(Mellowmax{x.omega}(x.q)).margin(1e-9));
  }
}

TEST_CASE("The root of the mellowmax policy takes few evaluations, whatever the values") {
  Rng rng(8);
  int total = 0, roots = 0;
  for (int i = 0; i < 2000; ++i) {
    const Drawn x(rng);
    const double m = Mellowmax{x.omega}((x.q.array() - x.q.maxCoeff()).matrix());
    const double sign = x.omega > 0 ? 1 : -1;
    int evaluations = 0;
    const auto excess = [&](double beta) {
      const Vector<double> distance = sign * (x.q.array() - x.q.maxCoeff() - m);
      const Vector<double> weighted = (beta * distance.array()).exp() * distance.array();
      ++evaluations;
      return std::pair(weighted.sum(), weighted.dot(distance));
    };
    if (std::abs(x.omega) * (x.q.maxCoeff() - x.q.minCoeff()) < 1e-4) continue;
    const double root = sign * find_root(excess, 0.0, std::abs(x.omega));
    CHECK(root == Approx(MellowmaxPolicy{x.omega}.inverse_temperature(x.q)).epsilon(1e-8));
    CHECK(evaluations <= 100);
    total += evaluations;
    ++roots;
  }
  CHECK(total <= 15 * roots);
}

TEST_CASE("No other policy of the same value has more entropy than that of mellowmax") {
  Rng rng(6);
  int others = 0;
  for (int i = 0; i < 2000; ++i) {
    const Drawn x(rng);
    const Vector<double>& q = x.q;
    Vector<double> pi(q.size()), step(q.size());
    if (q.size() < 3) continue;  // two actions have one policy of a value
    MellowmaxPolicy{x.omega}.probabilities(q, pi);
    for (double& s : step) s = rng.normal(0, 0.05);
    step.array() -= step.mean();  // keeps the sum
    const Vector<double> centred = q.array() - q.mean();
    step -= step.dot(centred) / centred.squaredNorm() * centred;  // keeps the value
    const Vector<double> other = pi + step;
    if (other.minCoeff() < 0) continue;
    ++others;
    CHECK(entropy(other) <= entropy(pi) + 1e-12);
  }
  CHECK(others > 100);
}

// mellowmax, section 3.4: the small spread and the large gap.
TEST_CASE("beta tends to omega / 2 for close values and to 0 for distant ones") {
  const MellowmaxPolicy policy{6};
  CHECK(policy.inverse_temperature(Eigen::Vector3d(2, 2, 2)) == 3);
  CHECK(policy.inverse_temperature(Eigen::Vector3d(1e6, 1e6, 1e6 + 1e-9)) == 3);
  for (const double spread : {1e-3, 1e-5, 1e-6})
    CHECK(policy.inverse_temperature(Eigen::Vector3d(2, 2 + spread, 2 - spread)) == Approx(3).epsilon(3e-6));
  for (const double gap : {100.0, 1e4, 1e6}) {
    const double beta = policy.inverse_temperature(Eigen::Vector2d(0, gap));
    CHECK(gap * std::exp(-beta * gap) == Approx(std::log(2.0) / 6).epsilon(3e-3));
  }
  CHECK(MellowmaxPolicy{1e6}.inverse_temperature(Eigen::Vector2d(0, 1)) < 20);
  Vector<float> pi(3);
  policy.probabilities(Eigen::Vector3f(0.5f, 0.5f, 0.5f), pi);
  CHECK((pi.array() - 1.0f / 3).abs().maxCoeff() < 1e-7f);
  policy.probabilities(Eigen::Vector3f(0.1f, 0.7f, 0.2f), pi);
  CHECK(pi.dot(Eigen::Vector3f(0.1f, 0.7f, 0.2f)) == Approx(Mellowmax{6}(Eigen::Vector3d(.1, .7, .2))).epsilon(1e-6));
  CHECK_THROWS_AS(MellowmaxPolicy{0}.validate(), Error);
}

// mellowmax, section 3.5: the numbers of its check, then any values.
TEST_CASE("Gradient through the mellowmax policy") {
  const Eigen::Vector4d q(0.3, -0.2, 0.7, 0.1);
  const MellowmaxPolicy policy{4};
  Vector<double> out(4);
  CHECK(Mellowmax{4}(q) == Approx(0.422822638).margin(5e-10));
  CHECK(policy.inverse_temperature(q) == Approx(1.879516518).margin(5e-10));
  policy.probabilities(q, out);
  CHECK((out - Eigen::Vector4d(0.23819624, 0.09306858, 0.50517327, 0.16356191)).cwiseAbs().maxCoeff() < 6e-9);
  policy.inverse_temperature_gradient(q, out);
  CHECK((out - Eigen::Vector4d(-0.31658426, 0.38281549, -0.11236632, 0.04613509)).cwiseAbs().maxCoeff() < 6e-9);
  policy.log_probability_gradient(q, 2, TemperatureGradient::Implicit, out);
  CHECK((out - Eigen::Vector4d(-0.53544376, -0.06881614, 0.89888961, -0.29462971)).cwiseAbs().maxCoeff() < 6e-9);

  Rng rng(7);
  for (int i = 0; i < 200; ++i) {
    const Drawn x = moderate(rng);
    const MellowmaxPolicy p{x.omega};
    const Index action = rng.below(x.q.size());
    Vector<double> gradient(x.q.size()), pi(x.q.size());
    p.inverse_temperature_gradient(x.q, gradient);
    CHECK(gradient.sum() == Approx(0).margin(1e-6 * std::abs(x.omega)));
    const auto log_probability = [&](const Vector<double>& at) {
      p.probabilities(at, pi);
      return std::log(pi[action]);
    };
    p.log_probability_gradient(x.q, action, TemperatureGradient::Implicit, gradient);
    CHECK(gradient.sum() == Approx(0).margin(1e-6 * std::abs(x.omega)));
    CHECK(nn::gradient_check(log_probability, x.q, gradient) < 1e-5);
    const double beta = p.inverse_temperature(x.q);
    p.log_probability_gradient(x.q, action, TemperatureGradient::Stopped, gradient);
    expect_gradient(
        [&](const Vector<double>& at) {
          Boltzmann{beta}.probabilities(at, pi);
          return std::log(pi[action]);
        },
        x.q, gradient);
  }
  policy.log_probability_gradient(Eigen::Vector4d(1, 1, 1, 1), 0, TemperatureGradient::Implicit, out);
  CHECK((out - Eigen::Vector4d(1.5, -.5, -.5, -.5)).cwiseAbs().maxCoeff() < 1e-14);
}

TEST_CASE("The derivative in omega keeps its digits for a small omega and values far from 0") {
  Rng rng(11);
  for (const double omega : {1e-8, 1e-4, 1e-2, 1.0}) {
    Vector<double> q(8);
    for (double& x : q) x = 100.0 + rng.normal();
    const Eigen::ArrayXd c = q.array() - q.mean();
    const double exact = Mellowmax{omega}.omega_derivative((q.array() - 100.0).matrix());
    CHECK(Mellowmax{omega}.omega_derivative(q) == Approx(exact).epsilon(1e-9));
    CHECK(Mellowmax{omega}.omega_derivative(q.cast<float>().eval()) == Approx(exact).epsilon(1e-3));
    if (omega < 1e-3) CHECK(exact == Approx(c.square().mean() / 2).epsilon(1e-3));
  }
}

TEST_CASE("An omega that is 0 in float gives the mean") {
  CHECK(Mellowmax{1e-46}(Vector<float>{{1.0f, 2.0f, 6.0f}}) == Approx(3.0f));
}

TEST_CASE("A sharpness beyond float's largest number gives the maximum, and a greedy policy") {
  const Vector<float> q{{-2.0f, 5.0f, 30.0f, 30.0f, 1.0f}};
  for (const double sharpness : {1e38, 1e39, 1e300}) {
    CHECK(Mellowmax{sharpness}(q) == 30.0f);
    CHECK(Mellowmax{-sharpness}(q) == -2.0f);
    CHECK(Boltzmann{sharpness}(q) == 30.0f);
    CHECK(Boltzmann{-sharpness}(q) == -2.0f);
    Vector<float> pi(5);
    Boltzmann{sharpness}.probabilities(q, pi);
    CHECK((pi - Vector<float>{{0.0f, 0.0f, 0.5f, 0.5f, 0.0f}}).cwiseAbs().maxCoeff() <
          1e-37f);  // Eigen's exp ends at e^-88
  }
}

// mellowmax.md, section 3.1: the four wished-for properties.
TEST_CASE("What maximum, mean, their mixture, Boltzmann and mellowmax have and lack") {
  // P1: some parameter comes close to the maximum. Of the mean, which has none, nothing does.
  Rng rng(12);
  for (int i = 0; i < 200; ++i) {
    Drawn x(rng);
    x.q /= x.q.cwiseAbs().maxCoeff();
    const double best = x.q.maxCoeff();
    CHECK(Max{}(x.q) == best);
    CHECK(EpsilonMix{1e-6}(x.q) == Approx(best).margin(3e-6));
    CHECK(Boltzmann{1e6}(x.q) == Approx(best).margin(3e-6));
    CHECK(Mellowmax{1e6}(x.q) == Approx(best).margin(3e-6));
    CHECK(Mean{}(x.q) < best);
  }
  // P2: none but Boltzmann lets values that differ by at most d give results that differ by more.
  int expansions = 0;
  for (int i = 0; i < 2000; ++i) {
    const Drawn x(rng);
    Vector<double> y = x.q;
    const double shift = std::pow(10.0, rng.uniform(-3, 2)), omega = x.omega;
    for (double& value : y) value += rng.normal(0, shift);
    const double bound = (x.q - y).cwiseAbs().maxCoeff() + 1e-12;
    const auto moved = [&](const auto& op) { return std::abs(op(x.q) - op(y)); };
    CHECK(moved(Max{}) <= bound);
    CHECK(moved(Mean{}) <= bound);
    CHECK(moved(EpsilonMix{rng.uniform()}) <= bound);
    CHECK(moved(Mellowmax{omega}) <= bound);
    expansions += moved(Boltzmann{omega}) > bound;
  }
  CHECK(expansions > 0);
  // P3: where two values are equal, the slopes to the left and to the right differ, or do not.
  const auto kink = [](const auto& op) {
    const double h = 1e-5, at = op(Eigen::Vector2d(1, 1));
    return (op(Eigen::Vector2d(1, 1 + h)) - 2 * at + op(Eigen::Vector2d(1, 1 - h))) / h;
  };
  CHECK(kink(Max{}) == Approx(1));
  CHECK(kink(EpsilonMix{0.1}) == Approx(0.9));
  CHECK(std::abs(kink(Mean{})) < 1e-3);
  CHECK(std::abs(kink(Boltzmann{5})) < 1e-3);
  CHECK(std::abs(kink(Mellowmax{5})) < 1e-3);
  // P4: the least probability of an action.
  const Eigen::Vector3d q(1, 2, 4);
  Vector<double> pi(3);
  EpsilonGreedy{0.0}.probabilities(q, 0, pi);
  CHECK(pi.minCoeff() == 0);
  EpsilonGreedy{1.0}.probabilities(q, 0, pi);
  CHECK(pi.minCoeff() == Approx(1.0 / 3));
  EpsilonGreedy{0.1}.probabilities(q, 0, pi);
  CHECK(pi.minCoeff() == Approx(0.1 / 3));
  Boltzmann{5}.probabilities(q, pi);
  CHECK(pi.minCoeff() > 0);
  MellowmaxPolicy{5}.probabilities(q, pi);
  CHECK(pi.minCoeff() > 0);
}

// mellowmax.md, section 3.2: the Hessian.
TEST_CASE("Mellowmax is convex for a positive omega and concave for a negative one") {
  Rng rng(13);
  for (int i = 0; i < 2000; ++i) {
    const Drawn x(rng);
    Vector<double> y = x.q;
    const double shift = std::pow(10.0, rng.uniform(-3, 2)), sign = x.omega > 0 ? 1 : -1;
    for (double& value : y) value += rng.normal(0, shift);
    const Mellowmax mm{x.omega};
    const double slack = 1e-12 * (1 + x.q.cwiseAbs().maxCoeff() + y.cwiseAbs().maxCoeff());
    CHECK(sign * mm(0.5 * (x.q + y)) <= sign * 0.5 * (mm(x.q) + mm(y)) + slack);
  }
}

// mellowmax.md, section 3.2: omega (diag(p) - p p') with p the gradient.
TEST_CASE("The Hessian of mellowmax") {
  Rng rng(15);
  for (int i = 0; i < 50; ++i) {
    const Drawn x = moderate(rng);
    const Mellowmax mm{x.omega};
    const Index n = x.q.size();
    Vector<double> p(n), above(n), below(n);
    mm.gradient(x.q, p);
    const Matrix<double> hessian = x.omega * (Matrix<double>(p.asDiagonal()) - p * p.transpose());
    for (Index j = 0; j < n; ++j) {
      const double h = 1e-5;
      mm.gradient(x.q + h * Vector<double>::Unit(n, j), above);
      mm.gradient(x.q - h * Vector<double>::Unit(n, j), below);
      CHECK(((above - below) / (2 * h) - hessian.col(j)).cwiseAbs().maxCoeff() < 1e-8);
    }
  }
}

// mellowmax.md, section 3.4: the exact bracket.
TEST_CASE("Mellowmax is the average of Boltzmann over (0, omega), which does not fall") {
  Rng rng(14);
  for (int i = 0; i < 100; ++i) {
    const Drawn x = moderate(rng);
    constexpr int steps = 200;
    double total = 0, last = Boltzmann{0}(x.q);
    CHECK(last == Approx(x.q.mean()).margin(1e-14));
    for (int j = 1; j <= steps; ++j) {  // by Simpson's rule
      const double value = Boltzmann{x.omega * j / steps}(x.q);
      CHECK((value - last) * x.omega >= -1e-14);
      total += last + 4 * Boltzmann{x.omega * (j - 0.5) / steps}(x.q) + value;
      last = value;
    }
    CHECK(total / (6 * steps) == Approx(Mellowmax{x.omega}(x.q)).margin(1e-9));
  }
}

// mellowmax.md, section 3.4: the check of the bracket.
TEST_CASE("Of 20 000 random vectors beta stays within 0.53 omega") {
  Rng rng(15);
  double least = 1, most = 0;
  for (int i = 0; i < 20'000; ++i) {
    const Drawn x(rng);
    const double ratio = MellowmaxPolicy{x.omega}.inverse_temperature(x.q) / x.omega;
    least = std::min(least, ratio);
    most = std::max(most, ratio);
  }
  CAPTURE(least, most);
  CHECK(least > 0);
  CHECK(most < 0.53);  // of these draws; no bound, as the next vector shows
  Vector<double> q = Vector<double>::Zero(8);
  q.head(7).setConstant(-1);
  CHECK(MellowmaxPolicy{1.92}.inverse_temperature(q) / 1.92 == Approx(0.533826).margin(2e-6));
}

// mellowmax.md, section 4, item 4.
TEST_CASE("Several maximisers raise the lower bound of mellowmax") {
  Rng rng(16);
  for (int i = 0; i < 1000; ++i) {
    Drawn x(rng);
    const Index winners = 2 + rng.below(x.q.size() - 1);
    const double best = x.q.maxCoeff(), omega = std::abs(x.omega), slack = 1e-12 * (1 + std::abs(best));
    x.q.head(winners).setConstant(best);
    const double w = static_cast<double>((x.q.array() == best).count()), n = static_cast<double>(x.q.size());
    CHECK(w >= 2);
    CHECK(best + std::log(w / n) / omega <= Mellowmax{omega}(x.q) + slack);
    CHECK(Mellowmax{omega}(x.q) <= best + slack);
  }
}

// mellowmax.md, section 4: Boltzmann is expanding.
TEST_CASE("The largest expansion is the same for every beta, and outweighs a discount of 0.98") {
  for (const double beta : {-30.0, -1.0, 0.01, 1.0, 16.55, 1000.0}) {
    double largest = 0, at = 0;
    for (double t = 0; t < 20; t += 0.001) {
      Vector<double> gradient(2);
      Boltzmann{beta}.gradient(Eigen::Vector2d(0, t / std::abs(beta)), gradient);
      if (gradient.lpNorm<1>() > largest) largest = gradient.lpNorm<1>(), at = t;
    }
    CHECK(largest == Approx(1.19967864).margin(1e-6));
    CHECK(at == Approx(2.39936).margin(1e-3));
    CHECK(0.98 * largest > 1);
  }
}
