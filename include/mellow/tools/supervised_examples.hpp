// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <vector>

#include <mellow/data/supervised_example.hpp>

namespace mellow::tools {

/// Loads completions to be imitated from JSON lines, an object a line, as trl's standard forms have them: the texts
/// `prompt` and `completion`, or `text` alone, all of which is to be imitated. Other fields and empty lines are left out:
///
///     {"prompt": "The sky is", "completion": " blue."}
///     {"text": "The sky is blue."}
///
/// Throws Error, naming the file and the line, where it cannot be read or holds no example; for a line that is not UTF-8
/// or no JSON object; for a field that is missing, comes twice or is no text; for an empty completion or text; and for
/// `text` beside one of the others. trl's conversational form, lists of messages, is refused: the model's chat template
/// makes texts of them.
std::vector<data::SupervisedExample> load_supervised_examples(const std::filesystem::path& path);

}  // namespace mellow::tools
