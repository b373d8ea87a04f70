// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <cstdint>
#include <exception>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include <mellow/core/error.hpp>
#include <mellow/core/types.hpp>

namespace mellow {

/// A fixed number of threads that stay alive between calls and take the same share of the work each time, so that a
/// program's results depend on their number alone. A call takes nothing from the heap.
///
///     WorkerPool pool(2);                                  // the caller and one more
///     pool.run([&](Index thread) { halves[thread].work(); });
class WorkerPool {
 public:
  /// `threads` counts the caller. Throws Error unless it lies between 1 and 1024.
  explicit WorkerPool(Index threads) {
    require(threads >= 1 && threads <= 1024, "WorkerPool", "threads must lie between 1 and 1024", threads);
    errors_.resize(static_cast<std::size_t>(threads));
    try {
      for (Index i = 1; i < threads; ++i) workers_.emplace_back([this, i] { work(i); });
    } catch (...) {
      stop();
      throw;
    }
  }
  WorkerPool(const WorkerPool&) = delete;
  WorkerPool& operator=(const WorkerPool&) = delete;
  ~WorkerPool() { stop(); }

  Index threads() const { return static_cast<Index>(errors_.size()); }  ///< the caller counted

  /// Calls body(0), body(1), .. at the same time, the first in the calling thread; returns when all have. Of what they
  /// throw, the exception of the lowest number goes on. Calls from several threads wait for one another; `body` must
  /// not call this.
  template <class Body>
  void run(const Body& body) {
    const std::lock_guard<std::mutex> one_at_a_time(mutex_);
    body_ = &body;
    call_ = [](const void* of, Index thread) { (*static_cast<const Body*>(of))(thread); };
    working_.store(static_cast<std::uint32_t>(workers_.size()), std::memory_order_relaxed);
    round_.fetch_add(1, std::memory_order_release);
    round_.notify_all();
    call(0);
    for (std::uint32_t left; (left = working_.load(std::memory_order_acquire)) != 0;)
      working_.wait(left, std::memory_order_acquire);
    std::exception_ptr first;
    for (auto& error : errors_) {
      if (error && !first) first = error;
      error = nullptr;
    }
    if (first) std::rethrow_exception(first);
  }

 private:
  void work(Index thread) {
    for (std::uint32_t seen = 0;;) {
      round_.wait(seen, std::memory_order_acquire);
      seen = round_.load(std::memory_order_acquire);
      if (stopping_) return;
      call(thread);
      if (working_.fetch_sub(1, std::memory_order_acq_rel) == 1) working_.notify_one();
    }
  }

  void call(Index thread) {
    try {
      call_(body_, thread);
    } catch (...) {
      errors_[static_cast<std::size_t>(thread)] = std::current_exception();
    }
  }

  void stop() {
    stopping_ = true;
    round_.fetch_add(1, std::memory_order_release);
    round_.notify_all();
    for (auto& worker : workers_) worker.join();
    workers_.clear();
  }

  std::mutex mutex_;
  const void* body_ = nullptr;
  void (*call_)(const void*, Index) = nullptr;
  std::atomic<std::uint32_t> round_{0}, working_{0};
  bool stopping_ = false;  // written before a round begins
  std::vector<std::exception_ptr> errors_;
  std::vector<std::thread> workers_;
};

}  // namespace mellow
