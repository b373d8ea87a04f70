// SPDX-License-Identifier: Apache-2.0
// Gymnasium's toy texts, outcome by outcome and step by step; tests/golden/make_tabular.py wrote the numbers.
#include <array>

#include <mellow/core/numpy_generator.hpp>
#include <mellow/environments/gridworlds.hpp>
#include <mellow/environments/tabular.hpp>
#include <mellow/tools/safetensors.hpp>

#include "support/catch.hpp"

using namespace mellow;
using namespace mellow::environments;

namespace {

const tools::Safetensors& golden() {
  static const auto file = tools::load_safetensors(MELLOW_SOURCE_DIR "/tests/golden/tabular.safetensors");
  return file;
}

/// Compares a model with a table of outcomes; Gymnasium's action a is ours `actions[a]`. States of which `skip` holds
/// are left out.
template <class Skip>
void expect_outcomes(const TabularMdp& mdp, const char* name, const std::array<Index, 4>& actions, Skip&& skip) {
  const auto& table = std::get<std::vector<double>>(golden().at(name).values);
  std::size_t compared = 0;
  Index state = -1, action = -1;
  std::size_t which = 0;
  for (const double* row = table.data(); row < table.data() + table.size(); row += 6) {
    const auto s = static_cast<Index>(row[0]), a = static_cast<Index>(row[1]);
    which = s == state && a == action ? which + 1 : 0;
    state = s;
    action = a;
    if (skip(s)) continue;
    const auto outcomes = mdp.outcomes(s, actions[static_cast<std::size_t>(a)]);
    CAPTURE(name, s, a, which);
    REQUIRE(which < outcomes.size());
    CHECK(std::abs(outcomes[which].probability - row[2]) <= 1e-15);
    CHECK(outcomes[which].next == static_cast<Index>(row[3]));
    CHECK(outcomes[which].reward == row[4]);
    CHECK(outcomes[which].terminated == (row[5] != 0));
    ++compared;
  }
  CHECK(compared >= 16 * 4);
}

}  // namespace

TEST_CASE("FrozenLake and the cliff walk are Gymnasium's, outcome by outcome") {
  const auto none = [](Index) { return false; };
  const std::array<Index, 4> same{0, 1, 2, 3};
  expect_outcomes(frozen_lake(), "frozen_lake_4x4_slippery", same, none);
  expect_outcomes(frozen_lake(frozen_lake_4x4(), false), "frozen_lake_4x4", same, none);
  expect_outcomes(frozen_lake(frozen_lake_8x8()), "frozen_lake_8x8_slippery", same, none);
  expect_outcomes(frozen_lake(frozen_lake_8x8(), false), "frozen_lake_8x8", same, none);
  expect_outcomes(cliff_walking(), "cliff_walking", {3, 2, 1, 0}, [](Index s) { return s == 47; });  // the goal
}

TEST_CASE("FrozenLake goes Gymnasium's way after Gymnasium's seed") {
  const auto& trace = std::get<std::vector<float>>(golden().at("trace").values);
  NumpyGenerator rng(7);
  Tabular lake(frozen_lake());
  lake.reset(rng);
  for (std::size_t i = 0; i < trace.size(); i += 3) {
    const Step step = lake.step(static_cast<Index>(trace[i]), rng);
    REQUIRE(lake.state() == static_cast<Index>(trace[i + 1]));
    REQUIRE(step.terminated == (trace[i + 2] != 0));
    if (step.terminated) lake.reset(rng);
  }
}
