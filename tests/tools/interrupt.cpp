// SPDX-License-Identifier: Apache-2.0
#include "mellow/tools/interrupt.hpp"

#include <csignal>

#include "../support/catch.hpp"
#include "../support/child.hpp"

using mellow::tools::Interrupt;

namespace {

void (*handler_of(int signal))(int) {
  struct sigaction action;
  ::sigaction(signal, nullptr, &action);
  return action.sa_handler;
}

}  // namespace

TEST_CASE("Interrupt turns a first signal into a flag and restores what it found") {
  for (const int signal : {SIGINT, SIGTERM}) {
    const auto before = handler_of(signal);
    {
      const Interrupt interrupt;
      CHECK_FALSE(Interrupt::requested());
      std::raise(signal);
      CHECK(Interrupt::requested());
    }
    CHECK(Interrupt::requested());
    CHECK(handler_of(signal) == before);
  }
}

TEST_CASE("Interrupt lets a second Ctrl-C end the process as by default") {
  const auto child = run_in_child([] {
    const Interrupt interrupt;
    std::raise(SIGINT);
    std::fputs("after the first", stdout);
    std::fflush(stdout);
    std::raise(SIGINT);
    return 0;
  });
  CHECK(child.out == "after the first");
  CHECK(child.signal == SIGINT);
}

TEST_CASE("Interrupt nests: the inner guard neither clears the flag nor disarms the outer one") {
  const Interrupt outer;
  std::raise(SIGTERM);
  {
    const Interrupt inner;
    CHECK(Interrupt::requested());
    std::raise(SIGINT);
  }
  std::raise(SIGINT);  // the outer guard's first
  CHECK(Interrupt::requested());
}

TEST_CASE("Interrupt leaves an ignored signal ignored") {
  const auto before = std::signal(SIGINT, SIG_IGN);
  {
    const Interrupt interrupt;
    std::raise(SIGINT);
    CHECK_FALSE(Interrupt::requested());
  }
  CHECK(handler_of(SIGINT) == SIG_IGN);
  std::signal(SIGINT, before);
}
