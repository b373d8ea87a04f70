// SPDX-License-Identifier: Apache-2.0
#include "output_folder.hpp"

#include <fmt/format.h>

#include <exception>
#include <system_error>

#include <mellow/core/error.hpp>
#include <mellow/tools/folder_lock.hpp>
#include <mellow/tools/read_file.hpp>

namespace mellow::suite {

namespace fs = std::filesystem;

FolderBefore::FolderBefore(const fs::path& folder)
    : folder_(folder), was_empty_(!fs::exists(folder) || fs::is_empty(folder)) {
  for (fs::path path = folder; !path.empty() && !fs::exists(path); path = path.parent_path()) absent_.push_back(path);
}

void FolderBefore::restore() const {
  try {
    const tools::FolderLock lock(folder_);
    if (was_empty_)
      for (const fs::path& entry : fs::directory_iterator(folder_)) fs::remove_all(entry);
    else fs::remove(folder_ / "config.json");
    remove_made();
  } catch (const std::exception&) {  // why it was refused is what is said
  }
}

void FolderBefore::remove_made() const {
  std::error_code not_empty;
  for (const fs::path& path : absent_) fs::remove(path, not_empty);
}

void require_own_results(const fs::path& folder, std::string_view first_line) {
  const fs::path path = folder / "results.csv";
  if (fs::exists(path) && !tools::read_file(path).starts_with(first_line))
    throw Error(path.string(), "is not of this command and would be overwritten; choose another --output");
}

void require_no_run(const fs::path& folder) {
  for (const char* const name : {"metrics.csv", "metrics.jsonl", "summary.json", "weights.safetensors",
                                 "tokenizer.json", "pairs.csv", "held_out_pairs.csv", "checkpoints"})
    if (fs::exists(folder / name))
      throw Error((folder / name).string(),
                  "would be overwritten, and there is no config.json beside it to say of what "
                  "run it is; choose another --output");
}

}  // namespace mellow::suite
