// SPDX-License-Identifier: Apache-2.0
#include <new>
#include <stdexcept>
#include <string>
#include <vector>

#include <mellow/core/memory.hpp>

#include "support/catch.hpp"

using mellow::Error;
using mellow::within_memory;

TEST_CASE("What does not fit into memory is an Error with its size") {
  const std::string expected = "Ring: does not fit (got 7)";
  CHECK_THROWS_WITH(within_memory("Ring", "does not fit", 7, []() -> int { throw std::bad_alloc(); }), expected);
  CHECK_THROWS_WITH(within_memory("Ring", "does not fit", 7, []() -> int { throw std::length_error("vector"); }),
                    expected);
  CHECK_THROWS_WITH(within_memory("Ring", "does not fit", 7, []() -> int { throw Error("other", "matter"); }),
                    "other: matter");
  CHECK(within_memory("Ring", "does not fit", 7, [] { return std::vector{1, 2}; }) == std::vector{1, 2});
}
