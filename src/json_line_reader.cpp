// SPDX-License-Identifier: Apache-2.0
#include "json_line_reader.hpp"

#include <algorithm>
#include <set>
#include <utility>
#include <vector>

#include "mellow/core/error.hpp"
#include "mellow/core/nearest.hpp"
#include "mellow/core/utf8.hpp"
#include "read_text.hpp"

namespace mellow::tools {
namespace {

using Json = nlohmann::json;

/// What a parser says of a line, from the column on.
std::string reason(const Json::exception& error, std::string_view line) {
  const std::string_view text = error.what();
  std::string result(text.substr(std::min(text.find("column "), text.size())));
  if (result.empty()) result = text;
  const bool no_number = line.find("NaN") != line.npos || line.find("Infinity") != line.npos;
  if (no_number && result.find("invalid literal") != result.npos) result += " (JSON has neither NaN nor Infinity)";
  return result;
}

/// What a message has in quotes.
std::string quoted(std::string_view message) {
  const auto begin = std::min(message.find('\''), message.size() - 1) + 1;
  return std::string(message.substr(begin, message.rfind('\'') - begin));
}

}  // namespace

JsonLineReader::JsonLineReader(std::filesystem::path path) : path_(std::move(path)), text_(read_text(path_)) {}

std::string JsonLineReader::where() const { return at_line(path_, line_); }

bool JsonLineReader::next() {
  std::string_view line;
  do {
    if (at_ >= text_.size()) return false;
    const auto end = std::min(text_.find('\n', at_), text_.size());
    line = std::string_view(text_).substr(at_, end - at_);
    at_ = end + 1;
    ++line_;
  } while (line.find_first_not_of(" \t\r") == line.npos);

  if (const auto valid = utf8_valid(line); valid < line.size())
    throw Error(where(), fmt::format("byte {} of the line is not UTF-8", valid + 1),
                fmt::format("{:#04x}", static_cast<unsigned char>(line[valid])));
  if (line[line.find_first_not_of(" \t\r")] == '[')  // of a list over several lines the first is no JSON
    throw Error(where(), "a line must hold an object", "a list");
  std::set<std::string> names;
  const auto look = [&](int depth, Json::parse_event_t event, Json& parsed) {
    if (event == Json::parse_event_t::key && depth == 1 && !names.insert(parsed.get<std::string>()).second)
      throw Error(where(), "a field comes twice", shown(parsed));
    return true;
  };
  try {
    object_ = Json::parse(line.begin(), line.end(), look);
  } catch (const Json::out_of_range& error) {
    throw Error(where(), "a number is beyond what a double can hold", quoted(error.what()));
  } catch (const Json::exception& error) {
    throw Error(where(), "is not JSON: " + reason(error, line));
  }
  if (!object_.is_object()) throw Error(where(), "a line must hold an object", shown(object_));
  return true;
}

const Json& JsonLineReader::field(std::string_view name) const {
  if (const auto found = object_.find(name); found != object_.end()) return *found;
  std::vector<std::string> names;
  for (const auto& [known, value] : object_.items()) names.push_back(known);
  const std::string near = nearest(name, names);
  throw Error(where(), fmt::format("there is no field {}{}", name, near.empty() ? "" : "; did you mean " + near + "?"));
}

const std::string& JsonLineReader::text(std::string_view name) const {
  const Json& value = field(name);
  if (value.is_array())
    throw Error(where(), fmt::format("{} is a list of messages, trl's conversational form; make it a text by the "
                                     "model's chat template first",
                                     name));
  if (!value.is_string()) throw Error(where(), fmt::format("{} must be a text", name), shown(value));
  return value.get_ref<const std::string&>();
}

std::string shown(const Json& value) {
  if (value.is_array()) return "a list";
  if (value.is_object()) return "an object";
  const std::string text = value.dump(-1, ' ', true);
  return text.size() <= 80 ? text : text.substr(0, 80) + "...";
}

}  // namespace mellow::tools
