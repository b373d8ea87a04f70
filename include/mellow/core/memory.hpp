// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <new>
#include <stdexcept>
#include <string_view>
#include <vector>

#if defined(__linux__)
#include <sys/mman.h>
#endif

#include <mellow/core/error.hpp>
#include <mellow/core/types.hpp>

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

/// Asks the system for large pages (2 MiB) for memory that has not been touched yet and will be read at random places:
/// each such read then waits for less address translation. A wish, of no effect on what is computed.
inline void prefer_large_pages([[maybe_unused]] void* begin, [[maybe_unused]] std::size_t bytes) {
#if defined(__linux__)
  constexpr std::size_t page = 4096, large = std::size_t{2} << 20;
  if (bytes < 2 * large) return;
  const std::size_t skipped = (page - reinterpret_cast<std::uintptr_t>(begin) % page) % page;
  ::madvise(static_cast<std::byte*>(begin) + skipped, bytes - skipped, MADV_HUGEPAGE);
#endif
}

/// Becomes n zeros that will be read at random places.
template <class T>
void reset_for_random_reads(std::vector<T>& numbers, std::size_t n) {
  numbers = {};
  numbers.reserve(n);
  prefer_large_pages(numbers.data(), n * sizeof(T));
  numbers.resize(n);
}

/// Becomes rows x columns zeros that will be read at random places.
template <class Derived>
void reset_for_random_reads(Eigen::PlainObjectBase<Derived>& numbers, Index rows, Index columns) {
  numbers.resize(rows, columns);
  prefer_large_pages(numbers.data(), static_cast<std::size_t>(numbers.size()) * sizeof(typename Derived::Scalar));
  numbers.setZero();
}

}  // namespace mellow
