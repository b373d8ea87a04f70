// SPDX-License-Identifier: Apache-2.0
// Against PyTorch's numbers, made by tests/golden/make_convolution.py.
#include <mellow/operators/max.hpp>
#include <mellow/value/categorical_head.hpp>
#include <mellow/value/quantile_head.hpp>
#include <mellow/value/similarity_head.hpp>

#include "support/golden.hpp"

using namespace mellow;

namespace {

template <class Scalar, class Head, class Backup>
void compare(const std::string& name, const Head& head, const Backup& backup, double tolerance,
             const std::string& actions = "actions") {
  CAPTURE(name, sizeof(Scalar));
  const auto file = golden::load("heads");
  data::Batch<Scalar> batch;
  batch.resize(1, 12);
  batch.actions = golden::values<double>(file, actions).template cast<Index>();
  batch.rewards = golden::values<Scalar>(file, "rewards");
  batch.discounts = golden::values<Scalar>(file, "discounts");
  batch.weights = golden::values<Scalar>(file, "weights");
  const auto matrix = [&](const std::string& tensor) { return golden::matrix<Scalar>(file, tensor, 33); };
  typename Head::template State<Scalar> state;
  head.template targets<Scalar>(state, backup, batch, matrix("target_next"), matrix("online_next"));
  Matrix<Scalar> d(33, 12);
  const Scalar loss = head.template evaluate<Scalar>(state, batch, matrix("outputs"), d);
  CHECK(std::abs(loss - golden::values<Scalar>(file, name + ".loss")[0]) < tolerance);
  golden::expect_close(batch.errors, golden::values<Scalar>(file, name + ".losses"), tolerance);
  golden::expect_close(d, golden::values<Scalar>(file, name + ".gradient"), tolerance);
}

template <class Scalar>
void compare_all(double tolerance) {
  const value::CategoricalHead categorical{.atoms = 11, .v_min = -2, .v_max = 2};
  compare<Scalar>("categorical", categorical, operators::Max{}, tolerance);
  compare<Scalar>("categorical_double", categorical, value::DoubleQ{}, tolerance);
  compare<Scalar>("quantile", value::QuantileHead{.quantiles = 11}, operators::Max{}, tolerance);
  compare<Scalar>("quantile_narrow", value::QuantileHead{.quantiles = 11, .kappa = 0.25}, operators::Max{}, tolerance);
  const value::SimilarityHead similarity{.similarity = golden::matrix<double>(golden::load("heads"), "similarity", 33)};
  compare<Scalar>("similarity", similarity, value::DoubleQ{}, tolerance, "similarity.actions");
}

}  // namespace

TEST_CASE("Losses of distributions and of similar actions, and their gradients, are PyTorch's") {
  compare_all<double>(1e-12);
  compare_all<float>(1e-5);
}
