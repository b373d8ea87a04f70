// SPDX-License-Identifier: Apache-2.0
#include "mellow/tools/checkpoints.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <cxxabi.h>
#include <memory>
#include <utility>
#include <vector>

#include "mellow/tools/atomic_file.hpp"
#include "mellow/version.hpp"

namespace mellow::tools {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view prefix = "checkpoint-", extension = ".safetensors", setting = "setting.";
constexpr std::string_view version_key = "mellow.version", type_key = "state", processor_key = "processor",
                           compiler_key = "compiler", instructions_key = "instructions";

std::string readable(const std::string& type) {
  int status = 0;
  const std::unique_ptr<char, void (*)(void*)> name(abi::__cxa_demangle(type.c_str(), nullptr, nullptr, &status),
                                                    &std::free);
  return name ? name.get() : type;
}

std::string text_of(const Metadata& metadata, std::string_view key) {
  const auto found = metadata.find(std::string(key));
  return found == metadata.end() ? "none" : found->second;
}

/// Where two long texts part, with some of what follows in each.
std::pair<std::string, std::string> difference(const std::string& a, const std::string& b) {
  const auto first = std::ranges::mismatch(a, b).in1 - a.begin();
  const auto from = static_cast<std::size_t>(std::max<std::ptrdiff_t>(0, first - 40));
  const auto part = [&](const std::string& text) {
    if (text.size() <= 160) return text;
    return fmt::format("{}{}{}", from > 0 ? "..." : "", text.substr(from, 120), from + 120 < text.size() ? "..." : "");
  };
  return {part(a), part(b)};
}

/// Throws Error where a checkpoint is of another run than the present one, naming the first difference.
void require_same_run(const fs::path& path, const Metadata& found, const Metadata& expected) {
  const auto refuse = [&](const std::string& what, const std::string& there, const std::string& here) {
    throw Error(path.string(), fmt::format("is a checkpoint of another run: its {} is {}, here it is {}; give this run "
                                           "another folder, or do not resume",
                                           what, there, here));
  };
  const auto compare = [&](std::string_view key, const std::string& what) {
    const auto there = text_of(found, key), here = text_of(expected, key);
    if (there != here) refuse(what, there, here);
  };
  compare(version_key, "version of mellow");
  if (const auto there = text_of(found, type_key), here = text_of(expected, type_key); there != here) {
    const auto [a, b] = difference(readable(there), readable(here));
    refuse("type of state", a, b);
  }
  for (const Metadata* side : {&expected, &found})
    for (const auto& [key, text] : *side)
      if (key.starts_with(setting)) compare(key, key.substr(setting.size()));
}

}  // namespace

std::vector<fs::path> checkpoint_files(const fs::path& folder) {
  std::vector<std::pair<std::int64_t, fs::path>> found;
  std::error_code code;
  for (const auto& entry : fs::directory_iterator(folder, code)) {
    const std::string name = entry.path().filename().string();
    if (!name.starts_with(prefix) || !name.ends_with(extension)) continue;
    const char* const end = name.data() + name.size() - extension.size();
    std::int64_t step = 0;
    const auto read = std::from_chars(name.data() + prefix.size(), end, step);
    if (read.ec == std::errc() && read.ptr == end) found.emplace_back(step, entry.path());
  }
  std::ranges::sort(found, std::greater(), &std::pair<std::int64_t, fs::path>::first);
  std::vector<fs::path> paths;
  paths.reserve(found.size());
  for (auto& [step, path] : found) paths.push_back(std::move(path));
  return paths;
}

Checkpoints::Checkpoints(fs::path folder, CheckpointOptions options)
    : folder_(std::move(folder)), options_(std::move(options)) {
  require(options_.every > 0, "tools::Checkpoints", "every must be positive", options_.every);
  if (!options_.resume) finish();
}

Metadata Checkpoints::describe(const Metadata& settings, const char* type, std::string_view built_by,
                               std::string_view instructions) {
  Metadata result;
  for (const auto& [name, text] : settings) result[fmt::format("{}{}", setting, name)] = text;
  result[std::string(version_key)] = version;
  result[std::string(type_key)] = type;
  result[std::string(processor_key)] = processor_name();
  result[std::string(compiler_key)] = built_by;
  result[std::string(instructions_key)] = instructions;
  return result;
}

std::optional<Safetensors> Checkpoints::newest(const Metadata& expected) const {
  std::string damage;
  for (const auto& path : checkpoint_files(folder_)) {
    Safetensors file;
    try {
      file = load_saved_state(path);
    } catch (const Error& error) {
      damage = error.what();
      fmt::print(stderr, "warning: {}; trying the checkpoint before it\n", damage);
      continue;
    }
    require_same_run(path, file.metadata, expected);
    for (const auto key : {processor_key, compiler_key, instructions_key})
      if (const auto there = text_of(file.metadata, key), here = text_of(expected, key); there != here)
        fmt::print(stderr, "warning: {}: its {} was {}, here it is {}: the last bits may differ\n", path.string(), key,
                   there, here);
    return file;
  }
  if (!damage.empty())
    throw Error(folder_.string(),
                fmt::format("holds checkpoints, but none is whole ({}); delete them to start again", damage));
  return std::nullopt;
}

fs::path Checkpoints::path_of(std::int64_t step) const {
  return folder_ / fmt::format("{}{}{}", prefix, step, extension);
}

void Checkpoints::delete_all_but(std::size_t kept) const {
  const auto all = checkpoint_files(folder_);
  std::error_code ignored;  // one that stays does no harm
  for (std::size_t i = kept; i < all.size(); ++i) fs::remove(all[i], ignored);
  if (kept > 0) return;
  remove_temporaries(folder_);
  fs::remove(folder_, ignored);  // if nothing else is in it
}

}  // namespace mellow::tools
