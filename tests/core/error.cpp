// SPDX-License-Identifier: Apache-2.0
#include "mellow/core/error.hpp"

#include <catch2/catch.hpp>

using mellow::Error;

TEST_CASE("An error's text reads where, problem, value") {
  const Error error("nn::Adam", "learning_rate must be positive", -0.1);
  CHECK(std::string(error.what()) == "nn::Adam: learning_rate must be positive (got -0.1)");
  CHECK(error.where() == "nn::Adam");
  CHECK(error.problem() == "learning_rate must be positive");
  CHECK(error.value() == "-0.1");
}

TEST_CASE("An error without a value mentions none") {
  const Error error("Replay", "is empty");
  CHECK(std::string(error.what()) == "Replay: is empty");
  CHECK(error.value().empty());
}

TEST_CASE("An error keeps braces of a file's name as they are") {
  CHECK(std::string(Error("weights{0}.safetensors", "is cut short").what()) == "weights{0}.safetensors: is cut short");
}

TEST_CASE("require throws only where the condition fails, with the offending value") {
  CHECK_NOTHROW(mellow::require(true, "Box", "must be finite", 1));
  CHECK_THROWS_AS(mellow::require(false, "Box", "must be finite", 1), Error);
  try {
    mellow::require(false, "Box", "low must be below high", "3 > 2");
  } catch (const Error& error) {
    CHECK(error.value() == "3 > 2");
  }
}
