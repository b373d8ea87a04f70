// SPDX-License-Identifier: Apache-2.0
// A user's program: plain flags, mellow's headers, and what mellow::tools compiled.
#include <fmt/format.h>

#include <algorithm>
#include <span>
#include <variant>
#include <vector>

#include <mellow/core/error.hpp>
#include <mellow/core/types.hpp>
#include <mellow/tools/safetensors.hpp>
#include <mellow/version.hpp>

int main() {
  const mellow::Matrix<> ones = mellow::Matrix<>::Ones(300, 300);
  mellow::Matrix<> counts(300, 300);
  counts.noalias() = ones * ones;
  mellow::require(counts.minCoeff() == 300.0F && counts.maxCoeff() == 300.0F, "consumer",
                  "a product of ones counts them", counts(0, 0));

  const std::span<const float> values(counts.data(), static_cast<std::size_t>(counts.size()));
  mellow::tools::save_safetensors("counts.safetensors", {{"counts", {300, 300}, values}});
  const auto loaded = mellow::tools::load_safetensors("counts.safetensors");
  const auto& read = std::get<std::vector<float>>(loaded.at("counts").values);
  mellow::require(std::ranges::equal(read, values), "consumer", "a file gives back what was saved", read.size());
  fmt::print("mellow {} works\n", mellow::version);
}
