// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <span>
#include <vector>

#include <mellow/data/preference_pair.hpp>

namespace mellow::tools {

/// Loads preference pairs from JSON lines, an object a line with the texts `prompt`, `chosen` and `rejected`, as trl's
/// standard form has them; other fields and empty lines are left out:
///
///     {"prompt": "The sky is", "chosen": " blue.", "rejected": " green."}
///
/// Throws Error, naming the file and the line, where it cannot be read or holds no pair; for a line that is not UTF-8
/// or no JSON object; and for a field that is missing, comes twice, is no text, or, of a completion, is empty. trl's
/// conversational form, lists of messages, is refused: the model's chat template makes texts of them.
std::vector<data::PreferencePair> load_preference_pairs(const std::filesystem::path& path);

/// Writes pairs so that `load_preference_pairs` reads them, atomically. Throws Error for a text that is not UTF-8, an
/// empty completion, and where the file cannot be written.
void save_preference_pairs(const std::filesystem::path& path, std::span<const data::PreferencePair> pairs);

}  // namespace mellow::tools
