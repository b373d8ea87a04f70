// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <nlohmann/json.hpp>

#include <filesystem>
#include <string>
#include <string_view>

namespace mellow::tools {

/// Reads a file of JSON lines: an object a line; empty lines are left out.
class JsonLineReader {
 public:
  /// Loads a file. Throws Error where it cannot be read.
  explicit JsonLineReader(std::filesystem::path path);

  /// Goes to the next object; false at the end. Throws Error, naming the line, for one that is not UTF-8, no JSON, no
  /// object, that has a number beyond a double's range, or a field twice.
  bool next();

  const nlohmann::json& object() const { return object_; }  ///< the present one
  std::string where() const;                                ///< its line, for messages

  /// A field of the present object. Throws Error, with the name that was meant, where there is none.
  const nlohmann::json& field(std::string_view name) const;
  /// A field that is a text. Throws Error where it is none; of lists with what trl's conversational form wants.
  const std::string& text(std::string_view name) const;

 private:
  std::filesystem::path path_;
  std::string text_;
  std::size_t at_ = 0, line_ = 0;
  nlohmann::json object_;
};

/// A value as a message can bear it.
std::string shown(const nlohmann::json& value);

}  // namespace mellow::tools
