// SPDX-License-Identifier: Apache-2.0
#include "mellow/tools/progress.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdlib>
#include <sys/ioctl.h>
#include <unistd.h>
#include <utility>
#include <vector>

#include "mellow/core/error.hpp"

namespace mellow::tools {
namespace {

constexpr double terminal_period = 0.1, log_period = 5, log_start = 1;  // seconds between lines
constexpr double memory = 3;                                            // seconds over which rates are averaged
constexpr double clock_period = 0.005;                                  // seconds between looks at the clock
constexpr std::int64_t most_calls = 64;                                 // bounds the wait when calls become slow

double steady_seconds() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

/// Columns of the terminal that `out` is, or 0 if it is none that can rewrite a line.
std::size_t terminal_width(std::FILE* out) {
  const int fd = ::fileno(out);
  const char* kind = std::getenv("TERM");
  if (fd < 0 || ::isatty(fd) == 0 || kind == nullptr || std::string_view(kind) == "dumb") return 0;
  winsize size = {};
  return ::ioctl(fd, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80;
}

/// 1234567 as "1 234 567".
std::string grouped(std::int64_t n) {
  auto text = std::to_string(n);
  for (auto i = std::ssize(text) - 3; i > (n < 0 ? 1 : 0); i -= 3) text.insert(static_cast<std::size_t>(i), 1, ' ');
  return text;
}

/// Seconds as "8.2 s", "3:07" or "2:03:07".
std::string duration(double seconds) {
  if (seconds < 10) return fmt::format("{:.1f} s", seconds);
  const auto s = std::llround(std::min(seconds, 1e9));
  if (s < 60) return fmt::format("{} s", s);
  return s < 3600 ? fmt::format("{}:{:02}", s / 60, s % 60)
                  : fmt::format("{}:{:02}:{:02}", s / 3600, s / 60 % 60, s % 60);
}

}  // namespace

Progress::Progress(std::int64_t total_steps, ProgressOptions options)
    : total_steps_(total_steps), options_(std::move(options)) {
  if (!options_.clock) options_.clock = steady_seconds;
  terminal_ = options_.width.value_or(terminal_width(options_.out)) > 0;
  start_ = looked_ = printed_ = options_.clock();
  next_print_ = start_ + (terminal_ ? 0 : log_start);
}

void Progress::look_at_clock() {
  const double now = options_.clock();
  if (!started_) {
    started_ = true;
    first_step_ = printed_step_ = state_.step;
    printed_fraction_ = fraction();
    printed_ = looked_ = now;
  } else {
    // As many calls as take clock_period, but no sudden growth: the next ones may be slower.
    const double wanted = static_cast<double>(calls_per_clock_) * clock_period / std::max(now - looked_, 1e-9);
    calls_per_clock_ = static_cast<std::int64_t>(
        std::clamp(wanted, 1.0, static_cast<double>(std::min(2 * calls_per_clock_, most_calls))));
  }
  calls_to_clock_ = calls_per_clock_;
  looked_ = now;
  if (now < next_print_) return;
  measure(now);
  print(line(now, false));
  next_print_ = now + (terminal_ ? terminal_period : log_period);
}

void Progress::measure(double now) {
  const double seconds = now - printed_;
  if (seconds <= 0) return;
  const double weight = steps_per_second_ > 0 ? 1 - std::exp(-seconds / memory) : 1;
  const auto follow = [&](double& rate, double gain) { rate += weight * (gain / seconds - rate); };
  follow(steps_per_second_, static_cast<double>(state_.step - printed_step_));
  follow(fraction_per_second_, fraction() - printed_fraction_);
  printed_ = now;
  printed_step_ = state_.step;
  printed_fraction_ = fraction();
}

double Progress::fraction() const {
  const auto part = [](std::int64_t done, std::int64_t total) {
    return total > 0 ? static_cast<double>(done) / static_cast<double>(total) : 0.0;
  };
  return std::min(std::max(part(state_.step, total_steps_), part(state_.episodes, options_.total_episodes)), 1.0);
}

std::string Progress::line(double now, bool last) const {
  const bool limited = total_steps_ > 0 || options_.total_episodes > 0;
  const auto count = [](std::int64_t done, std::int64_t total, std::string_view unit) {
    return total > 0 ? fmt::format("{}/{} {}", grouped(done), grouped(total), unit)
                     : fmt::format("{} {}", grouped(done), unit);
  };
  // Ordered by importance: what does not fit is dropped from the end.
  std::vector<std::string> fields;
  if (limited) fields.push_back(fmt::format("{:3.0f}%", std::floor(100 * fraction())));
  if (!options_.label.empty()) fields.push_back(options_.label);
  fields.push_back(count(state_.step, total_steps_, options_.unit));
  if (options_.total_episodes > 0) fields.push_back(count(state_.episodes, options_.total_episodes, "episodes"));
  if (last) fields.push_back("in " + duration(now - start_));
  const double rate = last ? static_cast<double>(state_.step - first_step_) / (now - start_) : steps_per_second_;
  if (std::isfinite(rate) && rate > 0) {
    fields.push_back((rate < 10 ? fmt::format("{:.1f}", rate) : grouped(std::llround(rate))) +
                     fmt::format(" {}/s", options_.unit));
    if (state_.tokens > 0 && state_.step > 0)
      fields.push_back(grouped(std::llround(rate * state_.tokens / static_cast<double>(state_.step))) + " tokens/s");
  }
  if (!last && fraction_per_second_ > 0) {
    fields.push_back(duration((1 - fraction()) / fraction_per_second_) + " left");
  }
  const auto figure = [&](std::string_view name, double value) {
    if (!std::isnan(value)) fields.push_back(fmt::format("{} {:#.4g}", name, value));
  };
  figure("return", state_.mean_return);
  figure("best", state_.best_return);
  figure("loss", state_.loss);
  if (options_.total_episodes == 0 && state_.episodes > 0) fields.push_back(count(state_.episodes, 0, "episodes"));

  const std::string_view gap = "  ";
  if (!terminal_) return fmt::format("{}", fmt::join(fields, gap));
  const std::size_t room = width() - 1;  // a full last column would wrap
  auto text = fields.front();
  for (std::size_t i = 1; i < fields.size() && text.size() + gap.size() + fields[i].size() <= room; ++i) {
    text.append(gap).append(fields[i]);
  }
  const std::size_t bar = std::min<std::size_t>(room - std::min(room, text.size() + 3), 20);
  if (limited && bar >= 8) {
    const auto done = static_cast<std::size_t>(fraction() * static_cast<double>(bar));
    text = fmt::format("[{:=<{}}{:<{}}] {}", "", done, done < bar ? ">" : "", bar - done, text);
  }
  return text.substr(0, room);
}

std::size_t Progress::width() const { return options_.width.value_or(terminal_width(options_.out)); }

void Progress::print(std::string_view text) const {
  if (terminal_) fmt::print(options_.out, "\r{}\033[K", text);
  else fmt::print(options_.out, "{}\n", text);
  std::fflush(options_.out);
}

void Progress::note(std::string_view text) {
  fmt::print(options_.out, "{}{}\n", terminal_ ? "\r\033[K" : "", text);
  if (terminal_ && started_ && !finished_) print(line(options_.clock(), false));
  std::fflush(options_.out);
}

void Progress::finish() {
  if (std::exchange(finished_, true) || !started_) return;
  print(line(options_.clock(), true));
  if (terminal_) fmt::print(options_.out, "\n");
  std::fflush(options_.out);
}

}  // namespace mellow::tools
