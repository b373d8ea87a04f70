// SPDX-License-Identifier: Apache-2.0
#include "allocation/counter.hpp"

#include <cstdlib>
#include <new>
#include <vector>

#include <mellow/core/types.hpp>

#include "support/catch.hpp"

namespace {

/// Allocations made by `body`, which gives the block to be freed afterwards, so that no compiler leaves it out.
template <class Body, class Free>
std::size_t count(Body body, Free release) {
  const std::size_t before = heap_allocations();
  void* volatile block = body();
  const std::size_t after = heap_allocations();
  release(block);
  return after - before;
}

}  // namespace

TEST_CASE("The counter sees every way to the heap") {
  CHECK(count([] { return std::malloc(8); }, std::free) == 1);
  CHECK(count([] { return std::calloc(2, 8); }, std::free) == 1);
  CHECK(count([] { return std::realloc(nullptr, 8); }, std::free) == 1);
  CHECK(count([] { return std::aligned_alloc(64, 64); }, std::free) == 1);
  CHECK(count(
            [] {
              void* block = nullptr;
              return ::posix_memalign(&block, 64, 64) == 0 ? block : nullptr;
            },
            std::free) == 1);
  CHECK(count([] { return ::operator new(8); }, [](void* block) { ::operator delete(block); }) == 1);
  CHECK(count([] { return ::operator new(64, std::align_val_t(64)); },
              [](void* block) { ::operator delete(block, std::align_val_t(64)); }) == 1);
}

TEST_CASE("The counter sees what containers and Eigen take, and that in-place work takes nothing") {
  const auto during = [](auto&& body) {
    const std::size_t before = heap_allocations();
    body();
    return heap_allocations() - before;
  };
  std::vector<double> list;
  CHECK(during([&] { list.resize(100); }) == 1);
  CHECK(during([&] { list.resize(50); }) == 0);
  mellow::Matrix<float> a, b, c;
  CHECK(during([&] { a.setOnes(300, 300); }) == 1);
  CHECK(during([&] { b = a; }) == 1);
  CHECK(during([&] { c = a + b; }) == 1);
  CHECK(during([&] { c = a * b; }) >= 1);  // a temporary, since a product may overlap its operands
  CHECK(during([&] { c = a - b; }) == 0);
}
