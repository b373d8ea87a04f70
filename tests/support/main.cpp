// SPDX-License-Identifier: Apache-2.0
// The one translation unit that compiles Catch itself; every test program links its object.
#define CATCH_CONFIG_MAIN
#include <catch2/catch.hpp>
