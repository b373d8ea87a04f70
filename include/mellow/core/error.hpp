// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <fmt/core.h>

#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

namespace mellow {

/// Bad input from outside: a file, a setting, a shape at construction, a loss that is not finite.
///
/// `what()` reads "where: problem (got value)", for example "nn::Adam: learning_rate must be positive (got -0.1)".
class Error : public std::runtime_error {
 public:
  /// `where` names the component or file, `problem` says what is wrong and what is wanted.
  Error(std::string_view where, std::string_view problem)
      : std::runtime_error(std::string(where).append(": ").append(problem)), where_(where), problem_(problem) {}

  /// As above, with the offending value.
  Error(std::string_view where, std::string_view problem, std::string value)
      : std::runtime_error(std::string(where).append(": ").append(problem).append(" (got ").append(value).append(")")),
        where_(where),
        problem_(problem),
        value_(std::move(value)) {}
  /// As above, with any value that fmt can write.
  template <class Value>
  Error(std::string_view where, std::string_view problem, const Value& value)
      : Error(where, problem, fmt::format("{}", value)) {}

  const std::string& where() const noexcept { return where_; }      ///< component or file
  const std::string& problem() const noexcept { return problem_; }  ///< what is wrong, what is wanted
  const std::string& value() const noexcept { return value_; }      ///< the offending value; empty if there is none

 private:
  std::string where_, problem_, value_;
};

/// Throws `Error(where, problem, value)` unless `holds`.
template <class Value>
void require(bool holds, std::string_view where, std::string_view problem, const Value& value) {
  if (!holds) throw Error(where, problem, value);
}

}  // namespace mellow
