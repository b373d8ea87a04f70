// SPDX-License-Identifier: Apache-2.0
// expect: success
// The control: were the compiler or an include path wrong, every other case would fail to compile for that reason.
#include <mellow/core/error.hpp>
#include <mellow/core/types.hpp>

int main() {}
