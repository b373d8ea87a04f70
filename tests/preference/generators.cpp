// SPDX-License-Identifier: Apache-2.0
#include <string>

#include <mellow/core/rng.hpp>
#include <mellow/preference/exact.hpp>

#include "preference/losses.hpp"
#include "support/catch.hpp"
#include "support/gradient.hpp"

using namespace mellow;
using namespace mellow::preference;
using Catch::Matchers::Contains;

namespace {

template <class G>
void check_table(const G& g, bool inducing, double minimizer, bool resistant) {
  CHECK(is_dpo_inducing(g) == inducing);
  CHECK(is_displacement_resistant(g) == resistant);
  CHECK((std::isinf(minimizer) ? std::isinf(g.minimizer()) : g.minimizer() == Approx(minimizer).margin(1e-7)));
}

template <class G>
void check_slopes(const G& g, const double (&slopes)[5]) {
  const double at[] = {0.25, 0.5, 1, 2, 4};
  for (int i = 0; i < 5; ++i) CHECK(g.derivative(at[i]) == Approx(slopes[i]).margin(1e-8));
}

RlhfProblem worked_problem(double beta) {
  return {.reference = Eigen::Vector4d(0.3, 0.2, 0.4, 0.1), .rewards = Eigen::Vector4d(1, 0, 1, 0.2), .beta = beta};
}

void check_vector(const Vector<double>& found, std::initializer_list<double> wanted) {
  REQUIRE(found.size() == static_cast<Index>(wanted.size()));
  Index i = 0;
  for (const double x : wanted) CHECK(found[i++] == Approx(x).margin(6e-7));
}

constexpr Index pair[] = {0, 1};

}  // namespace

TEST_CASE("The table of generators (squared_po.md 1.5)") {
  check_table(ReverseKl{}, true, 0.3678794, false);
  check_table(ForwardKl{}, true, std::numeric_limits<double>::infinity(), true);
  check_table(JensenShannon{}, true, 1, true);
  check_table(AlphaDivergence{}, true, 1, true);
  check_table(SquaredHellinger{}, true, 1, true);
  check_table(ChiSquare{}, false, 1, true);
  check_table(TotalVariation{}, false, 1, true);
  check_table(ChiSquareKl{}, true, 0.5671433, false);
  check_table(SquaredLog{}, true, 1, true);
  check_slopes(ReverseKl{}, {-0.38629436, 0.30685282, 1, 1.69314718, 2.38629436});
  check_slopes(JensenShannon{}, {-0.91629073, -0.40546511, 0, 0.28768207, 0.47000363});
  check_slopes(AlphaDivergence{}, {-2, -0.82842712, 0, 0.58578644, 1});
  check_slopes(ChiSquareKl{}, {-1.13629436, -0.19314718, 1, 2.69314718, 5.38629436});
  check_slopes(SquaredLog{}, {-5.54517744, -1.38629436, 0, 0.34657359, 0.34657359});
}

TEST_CASE("Each generator's pieces agree") {
  for_each_generator([](const std::string& name, const auto& g) {
    INFO(name);
    for (const double t : {0.05, 0.3, 0.9, 1.0, 1.7, 4.0, 20.0}) {
      Vector<double> at(1), slope(1);
      at << t;
      slope << g.derivative(t);
      expect_gradient([&](const Vector<double>& x) { return g.f(x[0]); }, at, slope);  // f'
      const double a = std::log(t);
      CHECK(g.score(a).value == Approx(g.derivative(t) - g.derivative(1.0)).margin(1e-12));
      at << a;
      slope << g.score(a).slope;
      expect_gradient([&](const Vector<double>& x) { return g.score(x[0]).value; }, at, slope);  // dh/da
      if (t < g.increasing_until()) CHECK(inverse_slope(g, g.derivative(t)) == Approx(t).epsilon(1e-9));
    }
    if (std::isfinite(g.minimizer()))
      for (const double t : {0.5, 0.99, 1.01, 2.0}) CHECK(g.f(t * g.minimizer()) > g.f(g.minimizer()));
  });
}

TEST_CASE("Total variation is a row of the table, not a loss (squared_po.md 1.5)") {
  STATIC_REQUIRE((Generator<TotalVariation> && !InvertibleGenerator<TotalVariation>));
  const TotalVariation g;
  for (const double t : {0.0, 0.3, 1.0, 4.0}) CHECK(g.f(t) == 0.5 * std::abs(t - 1));
  check_slopes(g, {-0.5, -0.5, 0, 0.5, 0.5});
  CHECK(g.least_slope() == g.derivative(1e-300));
  for (const double a : {-3.0, -1e-9, 0.0, 1e-9, 3.0}) {
    CHECK(g.score(a).value == g.derivative(std::exp(a)) - g.derivative(1.0));
    CHECK(g.score(a).slope == 0.0);
  }
  const PairTerm term = FDpo<TotalVariation>{.beta = 0.1}({.chosen = -2, .rejected = 3});
  CHECK(term.value == Approx(std::log1p(std::exp(0.1))));
  CHECK((term.d_chosen == 0.0 && term.d_rejected == 0.0));
}

TEST_CASE("An alpha of 1 is the reverse KL, as in trl (squared_po.md 6.1)") {
  for (const double alpha : {1.0, 1.0 - 9e-7}) {
    const AlphaDivergence g{.alpha = alpha};
    for (const double a : {-1e4, -3.0, 0.0, 2.0, 1e4}) {
      CHECK((g.score(a).value == a && g.score(a).slope == 1.0));
      CHECK_FALSE(g.clips(a));
    }
  }
  const AlphaDivergence beside{.alpha = 1.0 - 1.1e-6};  // and the limit is reached without a step
  for (const double a : {-3.0, -0.1, 2.0}) CHECK(beside.score(a).value == Approx(a).epsilon(1e-5));
}

TEST_CASE("The inverse of SquaredPO's slope (squared_po.md 2.3, 2.5)") {
  CHECK(inverse_slope(SquaredLog{}, -2.0) == Approx(0.4263027).margin(1e-7));
  CHECK(inverse_slope(SquaredLog{}, 0.0) == Approx(1.0).epsilon(1e-12));
  CHECK(inverse_slope(SquaredLog{}, SquaredLog{}.greatest_slope()) == Approx(std::exp(1.0)));
  CHECK_THROWS_WITH(inverse_slope(SquaredLog{}, 0.4), Contains("f' must reach the slope") && Contains("got 0.4"));
  CHECK(inverse_slope(ChiSquare{}, -5.0) == 0.0);
}

TEST_CASE("k (t - 1) moves the minimiser and nothing else (squared_po.md 1.4, 2.6)") {
  const Tilted<ReverseKl> tilted{.generator = {}, .k = -1.0};  // t log t - t + 1
  CHECK(tilted.minimizer() == Approx(1.0));
  CHECK(is_displacement_resistant(tilted));
  CHECK_FALSE(is_displacement_resistant(ReverseKl{}));
  for_each_generator([](const std::string& name, const auto& g) {
    INFO(name);
    using G = std::remove_cvref_t<decltype(g)>;
    Rng rng(1);
    for (int i = 0; i < 100; ++i) {
      const Pair both{.chosen = rng.uniform(-4, 4), .rejected = rng.uniform(-4, 4)};
      const Tilted<G> moved{.generator = g, .k = rng.uniform(-3, 3)};
      // Equation 1, by f' of the generator as written: its value, and its gradient by differences.
      const auto loss = [&](const Vector<double>& a) {
        return softplus(-0.1 * (moved.derivative(std::exp(a[0])) - moved.derivative(std::exp(a[1]))));
      };
      const Vector<double> at{{both.chosen, both.rejected}};
      for (const PairTerm& term :
           {FDpo<Tilted<G>>{.beta = 0.1, .generator = moved}(both), FDpo<G>{.beta = 0.1, .generator = g}(both)}) {
        CHECK(term.value == Approx(loss(at)).epsilon(1e-12));
        expect_gradient(loss, at, Vector<double>{{term.d_chosen, term.d_rejected}});
      }
    }
  });
}

TEST_CASE("At the reference SquaredPO is DPO to first order (squared_po.md 2.9)") {
  const Pair at{.chosen = -7, .rejected = -9, .reference_chosen = -7, .reference_rejected = -9};
  CHECK(SquaredPo{}(at).d_chosen == -0.05);
  CHECK(SquaredPo{}(at).d_rejected == 0.05);
  CHECK(SquaredPo{}(at).value == Dpo{}(at).value);
}

TEST_CASE("Optima of the full problem (squared_po.md 2.1, 2.2; c2_dpo.md 2.3)") {
  const auto squared = optimal_policy(SquaredLog{}, worked_problem(0.5));
  check_vector(squared.policy, {0.369386, 0.088749, 0.492515, 0.049351});
  check_vector(squared.ratios, {1.231286, 0.443745, 1.231286, 0.493507});
  CHECK(squared.multiplier == Approx(0.915511).margin(6e-7));
  CHECK(squared.value == Approx(0.818718).margin(6e-7));
  const auto wider = optimal_policy(SquaredLog{}, worked_problem(2));
  check_vector(wider.policy, {0.331610, 0.147792, 0.442147, 0.078450});
  CHECK(wider.multiplier == Approx(0.818743).margin(6e-7));
  const auto widest = optimal_policy(SquaredLog{}, worked_problem(5));
  check_vector(widest.ratios, {1.049846, 0.874286, 1.049846, 0.902503});
  CHECK(widest.multiplier == Approx(0.768328).margin(6e-7));

  const auto chi = optimal_policy(ChiSquare{}, worked_problem(0.2));  // not DPO-inducing: responses are left out
  check_vector(chi.policy, {0.428571, 0, 0.571429, 0});
  const double equations[] = {0.828571, 0.4, 0.828571, 0.6};
  for (int y = 0; y < 4; ++y)
    CHECK(worked_problem(0.2).rewards[y] - 0.2 * ChiSquare{}.derivative(chi.ratios[y]) ==
          Approx(equations[y]).margin(6e-7));
  const auto mix = optimal_policy(ChiSquareKl{}, worked_problem(0.2));
  check_vector(mix.policy, {0.421307, 0.007427, 0.561742, 0.009524});
  CHECK(mix.multiplier == Approx(0.651213).margin(6e-7));
  check_vector(optimal_policy(ReverseKl{}, worked_problem(0.5)).policy, {0.4014685, 0.0362219, 0.5352913, 0.0270184});
}

TEST_CASE("Optima of the in-sample problem (c2_dpo.md 2.3; squared_po.md 2.3)") {
  RlhfProblem problem = worked_problem(0.5);
  const auto kl = in_sample_optimal_policy(ReverseKl{}, problem, pair);
  check_vector(kl.policy, {0.1103638, 0.0099574, 0.8796788, 0});
  CHECK(kl.ratios[0] == Approx(0.3678794).margin(1e-7));
  CHECK(kl.ratios[1] == Approx(0.0497871).margin(1e-7));
  CHECK(kl.value == Approx(1.0601606).margin(1e-7));
  const auto squared = in_sample_optimal_policy(SquaredLog{}, problem, pair);
  CHECK(squared.ratios[0] == Approx(1.0).margin(1e-9));
  CHECK(squared.ratios[1] == Approx(0.426303).margin(6e-7));
  CHECK(squared.multiplier == 1.0);
  problem.rewards[0] = 0.8;
  const auto lower = in_sample_optimal_policy(ReverseKl{}, problem, pair);
  check_vector(lower.policy, {0.0739791, 0.0099574, 0.9160635, 0});
  CHECK(lower.ratios[0] == Approx(0.2465970).margin(1e-7));
  const auto lower_squared = in_sample_optimal_policy(SquaredLog{}, problem, pair);
  CHECK(lower_squared.ratios[0] == Approx(0.742919).margin(6e-7));
  CHECK(lower_squared.ratios[1] == Approx(0.426303).margin(6e-7));
  // The penalty of t log t - t + 1 gives u <= 1 and the same margin (c2_dpo.md 1.3).
  problem.rewards[0] = 1.0;
  const auto tilted = in_sample_optimal_policy(Tilted<ReverseKl>{.generator = {}, .k = -1.0}, problem, pair);
  CHECK(tilted.ratios[0] == Approx(1.0).epsilon(1e-12));
  CHECK(tilted.ratios[1] == Approx(std::exp(-2.0)).epsilon(1e-12));
  check_vector(tilted.policy, {0.3, 0.0270671, 0.6729329, 0});
  // Both problems have the margin that the loss pins down (c2_dpo.md 1.2).
  const auto full = optimal_policy(ReverseKl{}, problem);
  CHECK(std::log(full.ratios[0] / full.ratios[1]) == Approx(2.0));
  CHECK(std::log(kl.ratios[0] / kl.ratios[1]) == Approx(2.0));
}

TEST_CASE("Optima are optimal, and their KKT conditions hold") {
  for_each_generator([](const std::string& name, const auto& g) {
    INFO(name);
    Rng rng(2);
    for (int i = 0; i < 20; ++i) {
      RlhfProblem problem{.reference = Vector<double>(6), .rewards = Vector<double>(6), .beta = rng.uniform(1.5, 3.0)};
      for (Index y = 0; y < 6; ++y) {
        problem.reference[y] = rng.uniform(0.05, 1.0);
        problem.rewards[y] = rng.uniform(0.0, 1.0);
      }
      problem.reference /= problem.reference.sum();
      const auto full = optimal_policy(g, problem);
      CHECK(full.policy.sum() == Approx(1.0).epsilon(1e-10));
      for (Index y = 0; y < 6; ++y)
        if (full.policy[y] > 0)
          CHECK(problem.rewards[y] - problem.beta * g.derivative(full.ratios[y]) ==
                Approx(full.multiplier).epsilon(1e-8));
      const auto expect_best_nearby = [&](const OptimalPolicy& best, Index penalised) {
        const auto objective = [&](const Vector<double>& policy) {
          double value = policy.dot(problem.rewards);
          for (Index y = 0; y < penalised; ++y)
            value -= problem.beta * problem.reference[y] * g.f(policy[y] / problem.reference[y]);
          return value;
        };
        CHECK(objective(best.policy) == Approx(best.value).epsilon(1e-12));
        for (int k = 0; k < 40; ++k) {
          const auto from = static_cast<Index>(rng.below(6)), to = static_cast<Index>(rng.below(6));
          const double moved = std::min(0.05, best.policy[from]) * rng.uniform();
          Vector<double> policy = best.policy;
          policy[from] -= moved;
          policy[to] += moved;
          CHECK(objective(policy) <= best.value + 1e-10);
        }
      };
      expect_best_nearby(full, 6);
      const auto partial = in_sample_optimal_policy(g, problem, pair);
      CHECK(partial.policy.sum() == Approx(1.0).epsilon(1e-10));
      CHECK(partial.policy.minCoeff() >= 0.0);
      for (const Index y : pair)
        if (partial.policy[y] > 0)
          CHECK(problem.rewards[y] - problem.beta * g.derivative(partial.ratios[y]) ==
                Approx(partial.multiplier).epsilon(1e-8));
      expect_best_nearby(partial, 2);
    }
  });
}

TEST_CASE(
    "In sample, no ratio exceeds the minimiser where something outside is as good (squared_po.md 2.4; c2_dpo.md 2.4)") {
  const auto check = [](const std::string& name, const auto& g) {
    INFO(name);
    if (std::isinf(g.minimizer())) return;  // no bound
    Rng rng(3);
    int met = 0, alone = 0;
    // Of a generator that is not convex f' must reach the slopes: those of rewards 2 apart are at most 1 / e.
    const double least_beta = std::isfinite(g.increasing_until()) ? 2.0 * std::exp(1.0) : 0.5;
    for (int i = 0; i < 200; ++i) {
      RlhfProblem problem{.reference = Vector<double>(6), .rewards = Vector<double>(6)};
      problem.beta = least_beta + rng.uniform(0.0, 2.5);
      for (Index y = 0; y < 6; ++y) {
        problem.reference[y] = rng.uniform(0.05, 1.0);
        problem.rewards[y] = rng.uniform(-1.0, 1.0);
      }
      problem.reference /= problem.reference.sum();
      const double outside = problem.rewards.tail(4).maxCoeff();
      const auto found = in_sample_optimal_policy(g, problem, pair);
      for (const Index y : pair) {
        if (problem.rewards[y] > outside) continue;
        ++met;
        alone += problem.rewards[1 - y] > outside;
        CHECK(found.ratios[y] <= g.minimizer() + 1e-9);
      }
    }
    CHECK(met > 200);
    CHECK(alone > 20);  // though the other response of the pair is better than all outside
  };
  for_each_generator(check);
  check("t log t - t + 1 (c2_dpo.md 1.3)", Tilted<ReverseKl>{.generator = {}, .k = -1.0});
}

TEST_CASE("A problem that is none is refused in words") {
  RlhfProblem problem = worked_problem(0.5);
  const Index twice[] = {1, 1}, outside[] = {4};
  CHECK_THROWS_WITH(in_sample_optimal_policy(ReverseKl{}, problem, twice),
                    Contains("in_sample must be distinct (got 1)"));
  CHECK_THROWS_WITH(in_sample_optimal_policy(ReverseKl{}, problem, outside),
                    Contains("in_sample must lie in [0, 4) (got 4)"));
  CHECK_THROWS_WITH(in_sample_optimal_policy(ReverseKl{}, problem, {}), Contains("there must be a response in sample"));
  problem.beta = -1;
  CHECK_THROWS_WITH(optimal_policy(ReverseKl{}, problem), Contains("beta must be positive and finite (got -1)"));
  problem = worked_problem(0.5);
  problem.reference[0] = 0.4;
  CHECK_THROWS_WITH(optimal_policy(ReverseKl{}, problem), Contains("reference must sum to 1"));
  problem.reference.resize(3);
  CHECK_THROWS_WITH(optimal_policy(ReverseKl{}, problem), Contains("rewards must have 3 numbers (got 4)"));
  // One response of many with all the reward: its ratio would have to pass e, beyond which SquaredPO's f' falls.
  RlhfProblem steep{.reference = Vector<double>::Constant(10, 0.1), .rewards = Vector<double>::Zero(10), .beta = 0.05};
  steep.rewards[0] = 1.0;
  CHECK_THROWS_WITH(optimal_policy(SquaredLog{}, steep), Contains("beta must be greater (got 0.05)"));
}
