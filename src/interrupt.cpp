// SPDX-License-Identifier: Apache-2.0
#include "mellow/tools/interrupt.hpp"

#include <atomic>

namespace mellow::tools {
namespace {

std::atomic<bool> requested_flag = false;
static_assert(std::atomic<bool>::is_always_lock_free, "a signal handler may not wait");
std::atomic<int> guards = 0;

extern "C" void on_signal(int) { requested_flag.store(true, std::memory_order_relaxed); }

void install(int signal, struct sigaction& old) {
  struct sigaction action = {};
  action.sa_handler = on_signal;
  action.sa_flags = SA_RESTART | SA_RESETHAND;  // the second signal meets the default
  ::sigaction(signal, nullptr, &old);
  if (old.sa_handler != SIG_IGN) ::sigaction(signal, &action, nullptr);
}

}  // namespace

Interrupt::Interrupt() {
  if (guards++ == 0) requested_flag = false;
  install(SIGINT, old_interrupt_);
  install(SIGTERM, old_terminate_);
}

Interrupt::~Interrupt() {
  ::sigaction(SIGTERM, &old_terminate_, nullptr);
  ::sigaction(SIGINT, &old_interrupt_, nullptr);
  --guards;
}

bool Interrupt::requested() noexcept { return requested_flag.load(std::memory_order_relaxed); }

}  // namespace mellow::tools
