// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <new>
#include <stdexcept>
#include <string_view>

#include <mellow/core/error.hpp>

namespace mellow {

/// Returns what `make` returns, which allocates by a size from outside. Where that needs more memory than there is,
/// throws Error(where, problem, size) in place of std::bad_alloc or std::length_error.
template <class Size, class Make>
decltype(auto) within_memory(std::string_view where, std::string_view problem, const Size& size, const Make& make) {
  try {
    return make();
  } catch (const std::bad_alloc&) {
    throw Error(where, problem, size);
  } catch (const std::length_error&) {
    throw Error(where, problem, size);
  }
}

}  // namespace mellow
