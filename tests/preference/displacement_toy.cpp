// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include <mellow/preference/displacement_toy.hpp>
#include <mellow/preference/dpo.hpp>
#include <mellow/preference/out_of_order.hpp>

#include "support/catch.hpp"
#include "support/gradient.hpp"

using namespace mellow;
using namespace mellow::preference;
using Catch::Matchers::Contains;

TEST_CASE("The toy's log-probabilities are normalised, its reference is w = 0") {
  Rng rng(1);
  const DisplacementToy toy(rng);
  CHECK(toy.parameters() == 200);
  CHECK(toy.prompts() == 20);
  Matrix<double> log_probs;
  toy.log_probs(Vector<double>::Zero(200), log_probs);
  CHECK(toy.reference_chosen() == log_probs.row(0).transpose());
  CHECK(toy.reference_rejected() == log_probs.row(1).transpose());
  toy.log_probs(Vector<double>::Random(200), log_probs);
  for (Index k = 0; k < 20; ++k) CHECK(log_probs.col(k).array().exp().sum() == Approx(1.0));
  // A pair has e^2 times the weight of the other 18 responses: some 0.45 of the mass.
  const double mass = (toy.reference_chosen().array().exp() + toy.reference_rejected().array().exp()).mean();
  CHECK((mass > 0.3 && mass < 0.6));
}

TEST_CASE("The toy's gradient agrees with central differences") {
  Rng rng(2);
  const DisplacementToy toy(rng, {.prompts = 3, .responses = 4, .features = 6});
  const Vector<double> w = Vector<double>::Random(6), d_chosen = Vector<double>::Random(3),
                       d_rejected = Vector<double>::Random(3);
  Matrix<double> log_probs;
  toy.log_probs(w, log_probs);
  Vector<double> d_w(6);
  toy.gradient(log_probs, d_chosen, d_rejected, d_w);
  expect_gradient(
      [&](const Vector<double>& at) {
        toy.log_probs(at, log_probs);
        return log_probs.row(0).dot(d_chosen) + log_probs.row(1).dot(d_rejected);
      },
      w, d_w);
}

TEST_CASE("A toy that is none is refused") {
  Rng rng(3);
  CHECK_THROWS_WITH(DisplacementToy(rng, {.prompts = 0}), Contains("prompts must be positive (got 0)"));
  CHECK_THROWS_WITH(DisplacementToy(rng, {.responses = 1}), Contains("responses must be at least 2 (got 1)"));
  const DisplacementToy toy(rng);
  Matrix<double> log_probs;
  CHECK_THROWS_WITH(toy.log_probs(Vector<double>::Zero(3), log_probs), Contains("w must have 200 numbers (got 3)"));
}

TEST_CASE("Pairs that cannot be put in order: where the descent begins, one step of it, and what is refused") {
  const OutOfOrder small{.prompts = 5, .features = 3};
  const auto after = [&](Index steps, double learning_rate) {
    Rng rng(1);
    OutOfOrder setting = small;
    setting.steps = steps;
    setting.learning_rate = learning_rate;
    return median_out_of_order(Dpo{}, rng, setting);
  };
  CHECK(after(0, 5.0) == 0.0);
  // One clipped step is as long as the clip says: by hand.
  Rng rng(1);
  const DisplacementToy toy(rng, {.prompts = 5, .features = 3, .scale = 0.0, .noise = 1.0});
  Vector<double> w = Vector<double>::Zero(toy.parameters()), d_w = w;
  Matrix<double> log_probs;
  toy.log_probs(w, log_probs);
  const Vector<double> d = Vector<double>::Constant(5, -0.1 * 0.5 / 5), minus_d = -d;  // DPO's at a margin of 0
  toy.gradient(log_probs, d, minus_d, d_w);
  w -= 2.0 * d_w * std::min(1.0, 0.1 / d_w.norm());
  toy.log_probs(w, log_probs);
  Vector<double> a = log_probs.row(0).transpose() - toy.reference_chosen();
  std::sort(a.begin(), a.end());
  CHECK(after(1, 2.0) == Approx(a[2]).epsilon(1e-10));
  CHECK_THROWS_WITH(after(-1, 1.0), Catch::Contains("steps must not be negative (got -1)"));
  CHECK_THROWS_WITH(after(1, 0.0), Catch::Contains("learning_rate must be positive and finite (got 0)"));
  CHECK_THROWS_WITH(median_out_of_order(Dpo{}, rng, {.max_gradient_norm = 0}), Catch::Contains("max_gradient_norm"));
}
