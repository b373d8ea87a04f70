// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <filesystem>
#include <span>
#include <string_view>

namespace mellow::tools {

/// Creates a folder, and those it lies in, unless it is there. Throws Error with the path and the system's reason.
void create_folder(const std::filesystem::path& path);

/// Writes `bytes` to `path` so that a reader, a crash or a full disk sees the old file or the new one, never a part.
///
/// The bytes go to a temporary file in the same directory, which is flushed to the disk and renamed. Creates missing
/// parent directories and keeps the permissions of a file that it replaces. Throws Error with the path and the
/// system's reason; the old file is then whole and the temporary one gone.
void write_file_atomically(const std::filesystem::path& path, std::span<const std::byte> bytes);

/// As above, for text.
void write_file_atomically(const std::filesystem::path& path, std::string_view text);

/// The same unless there is a file of this name, which then stays as it is; says whether there was none. Of several
/// writers at once one succeeds, on file systems with links.
bool create_file_atomically(const std::filesystem::path& path, std::string_view text);

/// Removes the temporary files that processes left in a folder which were killed while they wrote.
void remove_temporaries(const std::filesystem::path& folder);

/// Flushes the finished file `from` to the disk and renames it to `to`, in the same directory, as the last step of a
/// file written over time. Throws Error where either fails; `from` then stays where it is.
void replace_file(const std::filesystem::path& from, const std::filesystem::path& to);

}  // namespace mellow::tools
