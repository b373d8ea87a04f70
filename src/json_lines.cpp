// SPDX-License-Identifier: Apache-2.0
#include "mellow/tools/json_lines.hpp"

#include <nlohmann/json.hpp>

#include <cmath>
#include <optional>
#include <string>
#include <utility>

#include "growing_file.hpp"
#include "run_clock.hpp"

namespace mellow::tools {

struct JsonLines::Impl {
  explicit Impl(std::filesystem::path where) : path(std::move(where)) {}

  GrowingFile& open() {
    auto part = path;
    if (!file) file.emplace(path, part += ".part", state.size, "");
    return *file;
  }

  void line(const char* kind, const training::RunStatus& status, double value, std::optional<std::int64_t> length) {
    nlohmann::ordered_json object{{"kind", kind}, {"step", status.step}, {"episode", status.episode}};
    const auto number = [](double x) { return std::isfinite(x) ? nlohmann::ordered_json(x) : nullptr; };
    object["return"] = number(value);
    if (length) object["length"] = *length;
    object["seconds"] = clock.rounded(state.seconds);
    for (const Metric& metric : status.metrics) object[std::string(metric.name)] = number(metric.value);
    open().write(object.dump() + '\n');
  }

  std::filesystem::path path;
  State state{};
  RunClock clock{};
  std::optional<GrowingFile> file{};
};

JsonLines::JsonLines(const std::filesystem::path& folder) : impl_(std::make_unique<Impl>(folder / "metrics.jsonl")) {}

JsonLines::~JsonLines() = default;

void JsonLines::on_episode(const training::RunStatus& status) {
  impl_->line("episode", status, status.episode_return, status.episode_length);
}

void JsonLines::on_evaluation(const training::RunStatus& status) {
  impl_->line("evaluation", status, status.evaluation_return, std::nullopt);
}

void JsonLines::on_end(const training::RunStatus&) {
  if (impl_->file || impl_->state.size > 0) impl_->open().finish();
}

JsonLines::State& JsonLines::state() const {
  impl_->clock.keep(impl_->state.seconds);
  if (impl_->file) impl_->state.size = impl_->file->sync();
  return impl_->state;
}

}  // namespace mellow::tools
