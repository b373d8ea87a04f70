// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include <mellow/data/epochs.hpp>

#include "support/catch.hpp"

using namespace mellow;

TEST_CASE("Every example comes once an epoch, in another order each time") {
  data::Epochs order(10);
  Rng rng(1);
  std::vector<Index> drawn;
  for (int i = 0; i < 10; ++i) {  // three epochs, by draws that do not divide them
    const auto batch = order.next(3, rng);
    CHECK(batch.size() == 3);
    drawn.insert(drawn.end(), batch.begin(), batch.end());
    CHECK(order.begun() == (std::ssize(drawn) + 9) / 10);
  }
  std::vector<std::vector<Index>> epochs;
  for (auto at = drawn.begin(); at != drawn.end(); at += 10) {
    epochs.emplace_back(at, at + 10);
    std::vector<Index> sorted = epochs.back();
    std::ranges::sort(sorted);
    for (Index i = 0; i < 10; ++i) CHECK(sorted[static_cast<std::size_t>(i)] == i);
  }
  CHECK((epochs[0] != epochs[1] && epochs[1] != epochs[2]));
}

TEST_CASE("A draw may be an epoch and no more") {
  data::Epochs order(4);
  Rng rng(1);
  CHECK(order.next(4, rng).size() == 4);
  CHECK_THROWS_WITH(order.next(5, rng), Catch::Contains("got 5"));
  CHECK_THROWS_WITH(order.next(0, rng), Catch::Contains("got 0"));
  CHECK_THROWS_WITH(data::Epochs(0), Catch::Contains("there must be an example"));
}
