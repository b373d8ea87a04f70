// SPDX-License-Identifier: Apache-2.0
// A user's program: plain flags, mellow's headers and what is compiled in mellow::tools.
#include <fmt/format.h>

#include <mellow/core/error.hpp>
#include <mellow/core/types.hpp>
#include <mellow/version.hpp>

int main() {
  const mellow::Matrix<> a = mellow::Matrix<>::Constant(300, 300, 1.0F);
  mellow::Matrix<> b(300, 300);
  b.noalias() = a * a;
  mellow::require(b(299, 299) == 300.0F, "consumer", "a product of ones must count them", b(299, 299));
  fmt::print("mellow {} works\n", mellow::version);
}
