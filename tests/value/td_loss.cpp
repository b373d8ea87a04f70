// SPDX-License-Identifier: Apache-2.0
#include <mellow/core/rng.hpp>
#include <mellow/value/td_loss.hpp>

#include "support/gradient.hpp"

using namespace mellow;
using value::TdLoss;

TEST_CASE("Squared and Huber loss have their textbook values") {
  CHECK(TdLoss::squared().value(-3.0) == 9);
  CHECK(TdLoss::squared().derivative(-3.0) == -6);
  CHECK(TdLoss::huber().value(0.5) == 0.125);
  CHECK(TdLoss::huber().derivative(0.5) == 0.5);
  CHECK(TdLoss::huber().value(-3.0) == 2.5);
  CHECK(TdLoss::huber().derivative(-3.0) == -1);
  CHECK(TdLoss::huber(2).value(3.0) == 4);  // 2 (3 - 2/2)
  CHECK(std::isnan(TdLoss::huber().value(std::nan(""))));
  CHECK_THROWS_AS(TdLoss::huber(0).validate(), Error);
  CHECK_THROWS_AS(TdLoss{.scale = -1}.validate(), Error);
}

TEST_CASE("The loss of a batch and its gradient, with weights", "[gradient]") {
  Rng rng(1);
  const Index actions = 3, batch = 8;
  Vector<double> q(actions * batch), targets(batch), weights(batch);
  for (double& x : q) x = rng.normal(0, 2);
  for (double& x : targets) x = rng.normal(0, 2);
  for (double& x : weights) x = rng.uniform(0, 2);
  Vector<Index> taken(batch);
  for (Index& a : taken) a = rng.below(actions);
  for (const TdLoss& loss : {TdLoss::squared(), TdLoss::huber(), TdLoss::huber(0.3)}) {
    Matrix<double> d_q(actions, batch);
    Vector<double> errors(batch);
    const auto at = [&](const Vector<double>& x) {
      return value::td_loss<double>(loss, x.reshaped(actions, batch), taken, targets, weights, d_q, errors);
    };
    double expected = 0;
    for (Index i = 0; i < batch; ++i)
      expected += weights[i] * loss.value(q[taken[i] + i * actions] - targets[i]) / batch;
    CHECK(at(q) == Approx(expected).epsilon(1e-14));
    for (Index i = 0; i < batch; ++i) CHECK(errors[i] == q[taken[i] + i * actions] - targets[i]);
    const Vector<double> gradient = d_q.reshaped();
    expect_gradient(at, q, gradient);
  }
}
