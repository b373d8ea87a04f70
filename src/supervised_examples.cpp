// SPDX-License-Identifier: Apache-2.0
#include "mellow/tools/supervised_examples.hpp"

#include <string>
#include <utility>

#include "json_line_reader.hpp"
#include "mellow/core/error.hpp"

namespace mellow::tools {

std::vector<data::SupervisedExample> load_supervised_examples(const std::filesystem::path& path) {
  std::vector<data::SupervisedExample> examples;
  for (JsonLineReader reader(path); reader.next();) {
    data::SupervisedExample example{.where = reader.where()};
    if (reader.object().contains("messages")) reader.text("messages");  // a list, which is refused
    const bool is_text = reader.object().contains("text");
    if (is_text)
      for (const char* const other : {"prompt", "completion"})
        if (reader.object().contains(other))
          throw Error(example.where, fmt::format("has text and {}; it must be prompt and completion, or text", other));
    if (!is_text) example.prompt = reader.text("prompt");
    const char* const name = is_text ? "text" : "completion";
    example.completion = reader.text(name);
    if (example.completion.empty()) throw Error(example.where, fmt::format("{} must not be empty", name));
    examples.push_back(std::move(example));
  }
  if (examples.empty()) throw Error(path.string(), "holds no example");
  return examples;
}

}  // namespace mellow::tools
