// SPDX-License-Identifier: Apache-2.0
#include "output_folder.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <exception>
#include <system_error>

#include <mellow/core/error.hpp>
#include <mellow/tools/folder_lock.hpp>
#include <mellow/tools/read_file.hpp>

namespace mellow::suite {

namespace fs = std::filesystem;

namespace {

/// Whatever runs write into their folders.
constexpr std::array run_files{"config.json",
                               "summary.json",
                               "metrics.csv",
                               "metrics.csv.part",
                               "metrics.jsonl",
                               "metrics.jsonl.part",
                               "events.out.tfevents.mellow",
                               "checkpoints",
                               "weights.safetensors",
                               "adapter.safetensors",
                               "environment.safetensors",
                               "tokenizer.json",
                               "pairs.csv",
                               "held_out_pairs.csv",
                               "learning_curve.png",
                               "learning_curve.svg"};

}  // namespace

FolderBefore::FolderBefore(const fs::path& folder) : folder_(folder) {
  for (fs::path path = folder; !path.empty() && !fs::exists(fs::symlink_status(path)); path = path.parent_path())
    absent_.push_back(path);
}

void FolderBefore::remove_run(std::string_view config) const {
  try {
    const tools::FolderLock lock(folder_);
    if (tools::read_file(folder_ / "config.json") != config) return;
    for (const char* const name : run_files) fs::remove_all(folder_ / name);
    remove_made();
  } catch (const std::exception&) {  // why it was refused is what is said
  }
}

void FolderBefore::remove_made() const {
  std::error_code not_empty;
  for (const fs::path& path : absent_) fs::remove(path, not_empty);
}

fs::path without_detours(const fs::path& folder) {
  return std::ranges::find(folder, fs::path("..")) == folder.end() ? folder : fs::weakly_canonical(folder);
}

void require_free(const fs::path& path) {
  if (fs::exists(fs::symlink_status(path)))
    throw Error(path.string(), "is not of this command and would be overwritten; choose another --output");
}

void require_own_results(const fs::path& folder, std::string_view first_line) {
  const fs::path path = folder / "results.csv";
  if (!fs::exists(path) || !tools::read_file(path).starts_with(first_line)) require_free(path);
}

void require_no_run(const fs::path& folder) {
  for (const char* const name : run_files)
    if (fs::exists(fs::symlink_status(folder / name)))
      throw Error((folder / name).string(),
                  "would be overwritten, and no config.json beside it says of what run it is; choose another --output");
}

}  // namespace mellow::suite
