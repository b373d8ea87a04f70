// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>

/// How many blocks this program has taken from the heap so far, by whichever function of C or C++ (also by Eigen and
/// the standard library): counter.cpp stands in front of glibc's. A test takes the difference over what must not
/// allocate.
std::size_t heap_allocations() noexcept;
