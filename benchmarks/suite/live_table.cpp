// SPDX-License-Identifier: Apache-2.0
#include "live_table.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <string>
#include <string_view>
#include <unistd.h>

namespace mellow::suite {
namespace {

std::string number(double value) { return std::isnan(value) ? "-" : fmt::format("{:.4g}", value); }

std::string duration(double seconds) {
  const auto whole = static_cast<long>(seconds);
  return whole >= 3600 ? fmt::format("{}:{:02}:{:02}", whole / 3600, whole / 60 % 60, whole % 60)
                       : fmt::format("{}:{:02}", whole / 60, whole % 60);
}

}  // namespace

LiveTable::LiveTable(Index steps, Index runs, std::uint64_t first_seed)
    : steps_(steps),
      first_seed_(first_seed),
      rows_(static_cast<std::size_t>(runs)),
      terminal_(::isatty(STDERR_FILENO) != 0),
      next_(Clock::now()) {
  if (!terminal_) next_ += std::chrono::seconds(10);
}

LiveTable::~LiveTable() {
  const std::scoped_lock lock(mutex_);
  if (terminal_) draw();
}

void LiveTable::update(Index run, const training::RunStatus& status) {
  const std::scoped_lock lock(mutex_);
  Row& row = rows_[static_cast<std::size_t>(run)];
  if (!row.running) row = {.running = true, .first_step = status.step, .begun = Clock::now()};
  row.step = status.step;
  row.score = std::isnan(status.mean_return) ? status.evaluation_return : status.mean_return;
  const auto tokens = std::ranges::find(status.metrics, std::string_view("tokens"), &Metric::name);
  if (tokens != status.metrics.end()) {
    if (row.first_tokens < 0) row.first_tokens = tokens->value;
    row.tokens = tokens->value;
  }
  row.best_return = status.best_return;
  if (Clock::now() < next_) return;
  draw();
  next_ = Clock::now() + (terminal_ ? std::chrono::milliseconds(300) : std::chrono::milliseconds(10'000));
}

void LiveTable::finish(Index run) {
  const std::scoped_lock lock(mutex_);
  rows_[static_cast<std::size_t>(run)].running = false;
  ++finished_;
}

void LiveTable::draw() {
  std::string text;
  std::size_t lines = 0;
  const auto line = [&](const std::string& content) {
    text += content + (terminal_ ? "\x1b[K\n" : "\n");
    ++lines;
  };
  const bool reads = std::ranges::any_of(rows_, [](const Row& row) { return row.tokens >= 0; });
  if (terminal_ && drawn_lines_ > 0) text += fmt::format("\x1b[{}A", drawn_lines_);
  line(fmt::format("{} of {} runs finished", finished_, rows_.size()));
  if (terminal_)
    line(fmt::format("{:>6}  {:>8}  {:>6}  {:>12}  {:>10}  {:>10}  {:>9}{}", "run", "seed", "done", "steps",
                     reads ? "score" : "return", "best", "time left", reads ? "    tokens/s" : ""));
  for (std::size_t i = 0; i < rows_.size(); ++i) {
    const Row& row = rows_[i];
    if (!row.running) continue;
    const double seconds = std::chrono::duration<double>(Clock::now() - row.begun).count();
    const double rate = static_cast<double>(row.step - row.first_step) / seconds;
    const std::string left = rate > 0 ? duration(static_cast<double>(steps_ - row.step) / rate) : "-";
    const double done = 100.0 * static_cast<double>(row.step) / static_cast<double>(steps_);
    const std::uint64_t seed = first_seed_ + i;
    std::string speed;
    if (row.tokens > row.first_tokens)
      speed = fmt::format(fmt::runtime(terminal_ ? "  {:>10.0f}" : ", {:.0f} tokens/s"),
                          (row.tokens - row.first_tokens) / seconds);
    line(terminal_
             ? fmt::format("{:>6}  {:>8}  {:>5.1f}%  {:>12}  {:>10}  {:>10}  {:>9}{}", i, seed, done, row.step,
                           number(row.score), number(row.best_return), left, speed)
             : fmt::format("  run {}, seed {}: {:.1f}%, {} steps, {} {}, best {}{}, {} left", i, seed, done, row.step,
                           reads ? "score" : "return", number(row.score), number(row.best_return), speed, left));
  }
  if (terminal_) text += "\x1b[J";
  drawn_lines_ = lines;
  std::fwrite(text.data(), 1, text.size(), stderr);
}

}  // namespace mellow::suite
