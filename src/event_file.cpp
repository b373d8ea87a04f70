// SPDX-License-Identifier: Apache-2.0
#include "mellow/tools/event_file.hpp"

#include <bit>
#include <chrono>
#include <cmath>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "crc32c.hpp"
#include "growing_file.hpp"
#include "mellow/core/error.hpp"

#ifdef MELLOW_HAS_TENSORBOARD
#include <src/tensorboard_event.pb.h>
#endif

namespace mellow::tools {
namespace {

#ifdef MELLOW_HAS_TENSORBOARD
constexpr bool available = true;

template <class Number>
std::string bytes_of(Number number) {
  static_assert(std::endian::native == std::endian::little, "the format's numbers are little-endian");
  return {reinterpret_cast<const char*>(&number), sizeof number};
}

/// TFRecord's checksum: rotated and shifted, since a checksum over data that hold checksums is weak.
std::uint32_t masked_crc(std::string_view bytes) { return std::rotr(crc32c(bytes), 15) + 0xA282EAD8u; }

/// A record: length, its checksum, data, their checksum.
std::string record(const mellow::tensorboard::Event& event) {
  const std::string data = event.SerializeAsString(), length = bytes_of<std::uint64_t>(data.size());
  return length + bytes_of(masked_crc(length)) + data + bytes_of(masked_crc(data));
}

mellow::tensorboard::Event event_now() {
  mellow::tensorboard::Event event;
  event.set_wall_time(std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count());
  return event;
}

std::string first_record() {
  auto event = event_now();
  event.set_file_version("brain.Event:2");
  return record(event);
}

/// The record of scalars at a step; those that are not finite are left out.
class Scalars {
 public:
  explicit Scalars(std::int64_t step) : event_(event_now()) { event_.set_step(step); }
  void add(std::string tag, double number) {
    if (!std::isfinite(number)) return;
    auto& value = *event_.mutable_summary()->add_value();
    value.set_tag(std::move(tag));
    value.set_simple_value(static_cast<float>(number));
  }
  std::string record() const { return tools::record(event_); }

 private:
  mellow::tensorboard::Event event_;
};
#else
constexpr bool available = false;

std::string first_record() { return {}; }
class Scalars {
 public:
  explicit Scalars(std::int64_t) {}
  void add(const std::string&, double) {}
  std::string record() const { return {}; }
};
#endif

}  // namespace

struct EventFile::Impl {
  explicit Impl(std::filesystem::path where) : path(std::move(where)) {}

  GrowingFile& open() {
    if (file) return *file;
    file.emplace(path, path, state.size, "");
    if (state.size == 0) file->write(first_record());
    return *file;
  }

  std::filesystem::path path;
  State state{};
  std::optional<GrowingFile> file{};
};

bool EventFile::is_available() { return available; }

EventFile::EventFile(const std::filesystem::path& folder)
    : impl_(std::make_unique<Impl>(folder / "events.out.tfevents.mellow")) {
  if (!available)
    throw Error("tools::EventFile",
                "mellow was built without it: install Protocol Buffers (libprotobuf-dev, "
                "protobuf-compiler) and configure with MELLOW_WITH_TENSORBOARD");
}

EventFile::~EventFile() = default;

void EventFile::on_episode(const training::RunStatus& status) {
  Scalars scalars(status.step);
  scalars.add("training/return", status.episode_return);
  scalars.add("training/length", static_cast<double>(status.episode_length));
  for (const Metric& metric : status.metrics) scalars.add("agent/" + std::string(metric.name), metric.value);
  impl_->open().write(scalars.record());
}

void EventFile::on_evaluation(const training::RunStatus& status) {
  Scalars scalars(status.step);
  scalars.add("evaluation/return", status.evaluation_return);
  impl_->open().write(scalars.record());
}

void EventFile::on_end(const training::RunStatus&) {
  if (impl_->file || impl_->state.size > 0) impl_->open().finish();
}

EventFile::State& EventFile::state() const {
  if (impl_->file) impl_->state.size = impl_->file->sync();
  return impl_->state;
}

}  // namespace mellow::tools
