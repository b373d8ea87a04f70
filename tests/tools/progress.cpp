// SPDX-License-Identifier: Apache-2.0
#include "mellow/tools/progress.hpp"

#include <stdlib.h>

#include "../support/catch.hpp"

using namespace mellow::tools;
using Catch::Matchers::Contains;
using Catch::Matchers::EndsWith;
using Catch::Matchers::StartsWith;

namespace {

/// A stream into memory and a clock that the test turns.
struct Screen {
  ~Screen() {
    std::fclose(out);
    ::free(text);
  }
  ProgressOptions options(std::size_t width) {
    return {.out = out, .width = width, .clock = [this] { return ++looks, now; }};
  }
  std::string take() {
    std::fflush(out);
    std::string result(text + taken, size - taken);
    taken = size;
    return result;
  }

  char* text = nullptr;
  std::size_t size = 0, taken = 0;
  std::FILE* out = ::open_memstream(&text, &size);
  double now = 100;
  int looks = 0;
};

}  // namespace

TEST_CASE("Progress prints plain lines to a log: one soon, few after, one at the end") {
  Screen screen;
  Progress progress(50000, screen.options(0));
  int lines = 0;
  for (int step = 1; step <= 30000; ++step) {
    screen.now += 0.001;
    progress.update({.step = step, .episodes = step / 100, .mean_return = 312.41, .loss = 0.0123});
    const auto text = screen.take();
    if (text.empty()) continue;
    ++lines;
    if (lines == 1) CHECK(step < 1100);
    CHECK(text.find('\r') == text.npos);
    CHECK(text.find('\033') == text.npos);
    CHECK_THAT(text,
               Contains("/50 000 steps") && Contains("return 312.4") && Contains("loss 0.0123") && EndsWith("\n"));
    CHECK_THAT(text, Contains(" 1 000 steps/s") && Contains("left") && Contains("episodes"));
  }
  CHECK(lines == 6);
  progress.finish();
  CHECK(screen.take() ==
        " 60%  30 000/50 000 steps  in 30 s  1 000 steps/s  return 312.4  loss 0.01230  300 episodes\n");
  progress.finish();
  CHECK(screen.take().empty());
}

TEST_CASE("Progress rewrites one line on a terminal and never fills its width") {
  for (const std::size_t width : {1, 5, 20, 40, 60, 80, 120, 200}) {
    Screen screen;
    {
      Progress progress(1000, screen.options(width));
      for (int step = 0; step <= 1000; step += 10) {
        screen.now += 1;
        progress.update({.step = step, .episodes = 3, .mean_return = 1, .loss = 2, .best_return = 3});
        const auto text = screen.take();
        CHECK_THAT(text, StartsWith("\r") && EndsWith("\033[K"));
        CHECK(text.size() - 4 < width);
        CHECK(text.find('\n') == text.npos);
        if (step == 500 && width >= 120) {
          CHECK_THAT(text, StartsWith("\r[==========>         ]  50%  500/1 000 steps  10 steps/s  50 s left"));
        }
      }
    }
    CHECK_THAT(screen.take(), EndsWith("\033[K\n"));
  }
}

TEST_CASE("Progress tells the time left of a resumed run from its own steps") {
  Screen screen;
  Progress progress(2000, screen.options(0));
  progress.update({.step = 1000});
  screen.now += 2;
  progress.update({.step = 1100});
  CHECK(screen.take() == " 55%  1 100/2 000 steps  50 steps/s  18 s left\n");
  progress.finish();
  CHECK(screen.take() == " 55%  1 100/2 000 steps  in 2.0 s  50 steps/s\n");
}

TEST_CASE("Progress measures against a budget of episodes, or against none") {
  Screen screen;
  auto options = screen.options(0);
  options.total_episodes = 200;
  Progress episodes(0, options);
  episodes.update({});
  screen.now += 2;
  episodes.update({.step = 4000, .episodes = 50});
  CHECK(screen.take() == " 25%  4 000 steps  50/200 episodes  2 000 steps/s  6.0 s left\n");

  Progress endless(0, screen.options(0));
  endless.update({});
  screen.now += 2;
  endless.update({.step = 4000});
  CHECK(screen.take() == "4 000 steps  2 000 steps/s\n");
}

TEST_CASE("Progress puts notes above its line") {
  Screen terminal;
  Progress progress(10, terminal.options(40));
  progress.note("before");
  CHECK(terminal.take() == "\r\033[Kbefore\n");
  progress.update({.step = 1});
  const auto line = terminal.take();
  progress.note("evaluation at 5 000: 500.0");
  CHECK(terminal.take() == "\r\033[Kevaluation at 5 000: 500.0\n" + line);
  progress.finish();
  terminal.take();
  progress.note("after");
  CHECK(terminal.take() == "\r\033[Kafter\n");

  Screen log;
  Progress plain(10, log.options(0));
  plain.note("note");
  CHECK(log.take() == "note\n");
}

TEST_CASE("Progress seldom looks at the clock in a fast loop, and often in a slow one") {
  Screen screen;
  Progress progress(1 << 20, screen.options(0));
  for (int step = 0; step < 10000; ++step) {
    screen.now += 1e-6;
    progress.update({.step = step});
  }
  CHECK(screen.looks < 250);
  for (int step = 0; step < 100; ++step) {  // one call of up to 64 passes unseen when a run becomes slow
    screen.now += 1;
    progress.update({.step = step});
  }
  screen.looks = 0;
  for (int step = 0; step < 10; ++step) {
    screen.now += 1;
    progress.update({.step = step});
  }
  CHECK(screen.looks == 10);
}

TEST_CASE("Progress prints nothing for a run that never began") {
  Screen screen;
  { Progress progress(10, screen.options(80)); }
  CHECK(screen.take().empty());
}

TEST_CASE("Progress shows the tokens a second of what reads tokens") {
  Screen screen;
  Progress progress(100, screen.options(0));
  for (int step = 1; step <= 20; ++step) {
    progress.update({.step = step, .tokens = 1440.0 * step});
    screen.now += 0.1;
  }
  screen.take();
  progress.finish();
  CHECK_THAT(screen.take(), Contains("in 2.0 s  9.5 steps/s  13 680 tokens/s\n"));
}
