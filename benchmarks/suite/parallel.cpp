// SPDX-License-Identifier: Apache-2.0
#include "parallel.hpp"

#include <algorithm>
#include <atomic>
#include <exception>
#include <mutex>
#include <thread>
#include <vector>

#include <mellow/tools/interrupt.hpp>

namespace mellow::suite {

bool parallel(Index count, Index jobs, const std::function<void(Index)>& work, const std::function<void(Index)>& done) {
  const tools::Interrupt interrupt;
  std::atomic<Index> next = 0;
  std::atomic<bool> failed = false;
  std::mutex mutex;
  Index finished = 0;
  std::exception_ptr first;
  const auto run = [&] {
    while (!failed && !tools::Interrupt::requested()) {
      const Index i = next++;
      if (i >= count) return;
      try {
        work(i);
        const std::scoped_lock lock(mutex);
        ++finished;
        if (done) done(finished);
      } catch (...) {
        const std::scoped_lock lock(mutex);
        if (!first) first = std::current_exception();
        failed = true;
      }
    }
  };
  {
    std::vector<std::jthread> threads;
    for (Index i = 0; i < std::min(jobs, count); ++i) threads.emplace_back(run);
  }
  if (first) std::rethrow_exception(first);
  return finished == count;
}

}  // namespace mellow::suite
