// SPDX-License-Identifier: Apache-2.0
#include <mellow/core/running_mean.hpp>

#include "support/catch.hpp"

using namespace mellow;

TEST_CASE("A running mean is the mean of its samples, and nothing before the first") {
  RunningMean mean;
  CHECK(std::isnan(mean.mean()));
  mean.add(3);
  CHECK(mean.mean() == 3);
  mean.add(-1);
  mean.add(10);
  CHECK(mean.mean() == Approx(4));
  CHECK(mean.count() == 3);

  CHECK(mean.mean_since(RunningMean{}) == Approx(4));
  CHECK(std::isnan(mean.mean_since(mean)));
  const RunningMean then = mean;
  mean.add(5);
  mean.add(7);
  CHECK(mean.mean_since(then) == Approx(6));
}
