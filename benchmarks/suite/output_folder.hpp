// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string_view>
#include <vector>

/// Folders that a user names for a command's output: nothing of the user's is overwritten or removed there.
namespace mellow::suite {

/// A folder before a command writes there: of what is above it, what the command makes.
class FolderBefore {
 public:
  explicit FolderBefore(const std::filesystem::path& folder);

  /// Removes a run that was refused before its first step, since it would stand in the way of the corrected command; and
  /// what `remove_made` does. Only where its config.json still holds this text, and no other process has the folder.
  /// `require_no_run` has passed before it.
  void remove_run(std::string_view config) const;

  /// Removes the folder and those above it that were not there, where they are empty.
  void remove_made() const;

 private:
  std::filesystem::path folder_;
  std::vector<std::filesystem::path> absent_;  // the innermost first
};

/// A path without `..`, through which folders would be made that nobody asked for.
std::filesystem::path without_detours(const std::filesystem::path& folder);

/// Throws Error where there is something at a path, of which the command does not know that it is its own.
void require_free(const std::filesystem::path& path);

/// Throws Error where a folder holds a results.csv whose first line does not begin so: another program's.
void require_own_results(const std::filesystem::path& folder, std::string_view first_line);

/// Throws Error where a folder in which no run has begun holds a file that a run would overwrite.
void require_no_run(const std::filesystem::path& folder);

}  // namespace mellow::suite
