// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string_view>
#include <vector>

/// Folders that a user names for a command's output: nothing of the user's is overwritten or removed there.
namespace mellow::suite {

/// A folder before a command writes there: what of it is the command's to remove when it is refused.
class FolderBefore {
 public:
  explicit FolderBefore(const std::filesystem::path& folder);

  /// Removes what a run left that was refused before its first step, since it would stand in the way of the corrected
  /// command: all in the folder, or the configuration alone where there was something in it before; and what
  /// `remove_made` does. Not where another process has the folder by now.
  void restore() const;

  /// Removes the folders that were not there and are empty now.
  void remove_made() const;

 private:
  std::filesystem::path folder_;
  bool was_empty_;
  std::vector<std::filesystem::path> absent_;  // the innermost first
};

/// Throws Error where a folder holds a results.csv whose first line does not begin so: another program's.
void require_own_results(const std::filesystem::path& folder, std::string_view first_line);

/// Throws Error where a folder in which no run has begun holds a file that a run would overwrite.
void require_no_run(const std::filesystem::path& folder);

}  // namespace mellow::suite
