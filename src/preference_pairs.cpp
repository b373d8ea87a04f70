// SPDX-License-Identifier: Apache-2.0
#include "mellow/tools/preference_pairs.hpp"

#include <array>
#include <string>
#include <string_view>
#include <utility>

#include "json_line_reader.hpp"
#include "mellow/core/error.hpp"
#include "mellow/core/utf8.hpp"
#include "mellow/tools/atomic_file.hpp"

namespace mellow::tools {
namespace {

using Field = std::pair<std::string_view, std::string data::PreferencePair::*>;
constexpr std::array fields{Field{"prompt", &data::PreferencePair::prompt},
                            Field{"chosen", &data::PreferencePair::chosen},
                            Field{"rejected", &data::PreferencePair::rejected}};

/// Throws Error where a completion is empty.
void require_completion(const std::string& where, std::string_view name, const std::string& text) {
  if (name != "prompt" && text.empty()) throw Error(where, fmt::format("{} must not be empty", name));
}

}  // namespace

std::vector<data::PreferencePair> load_preference_pairs(const std::filesystem::path& path) {
  std::vector<data::PreferencePair> pairs;
  for (JsonLineReader reader(path); reader.next();) {
    data::PreferencePair pair{.where = reader.where()};
    for (const auto& [name, member] : fields) {
      pair.*member = reader.text(name);
      require_completion(pair.where, name, pair.*member);
    }
    pairs.push_back(std::move(pair));
  }
  if (pairs.empty()) throw Error(path.string(), "holds no pair");
  return pairs;
}

void save_preference_pairs(const std::filesystem::path& path, std::span<const data::PreferencePair> pairs) {
  std::string text;
  for (std::size_t i = 0; i < pairs.size(); ++i) {
    nlohmann::ordered_json object;
    for (const auto& [name, member] : fields) {
      const std::string where = fmt::format("{}: pair {}", path.string(), i), &value = pairs[i].*member;
      require_completion(where, name, value);
      if (const auto valid = utf8_valid(value); valid < value.size())
        throw Error(where, fmt::format("byte {} of {} is not UTF-8", valid + 1, name));
      object[std::string(name)] = value;
    }
    text += object.dump() + '\n';
  }
  write_file_atomically(path, text);
}

}  // namespace mellow::tools
