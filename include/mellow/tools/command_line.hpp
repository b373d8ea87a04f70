// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <concepts>
#include <filesystem>
#include <functional>
#include <limits>
#include <memory>
#include <string>
#include <type_traits>
#include <vector>

namespace mellow {

/// The values that an option takes, both ends included.
template <class Number>
struct OptionRange {
  Number minimum = std::numeric_limits<Number>::lowest();  ///< least value taken
  Number maximum = std::numeric_limits<Number>::max();     ///< greatest value taken
};

/// Reads a program's options into its variables, whose present values are the defaults that `--help` prints.
///
///     int steps = 50000;
///     mellow::CommandLine("Learns CartPole").option("--steps", steps, "steps to learn", {.minimum = 1}).parse(argc, argv);
///
/// Accepts `--steps 100`, `--steps=100` and, for whole numbers too, `--steps 1e6`; the last of several wins.
class CommandLine {
 public:
  /// `description` is what `--help` says first.
  explicit CommandLine(std::string description);
  ~CommandLine();

  /// Adds a switch: `--name` makes it true, `--no-name` false.
  CommandLine& option(const std::string& name, bool& value, const std::string& help);

  /// Adds a number: int, a 64-bit integer, float or double.
  template <class Number>
    requires(std::integral<Number> || std::floating_point<Number>)
  CommandLine& option(const std::string& name, Number& value, const std::string& help,
                      std::type_identity_t<OptionRange<Number>> range = {});

  /// Adds a text; where `allowed` is not empty, one of these.
  CommandLine& option(const std::string& name, std::string& value, const std::string& help,
                      std::vector<std::string> allowed = {});

  /// Adds a path.
  CommandLine& option(const std::string& name, std::filesystem::path& value, const std::string& help);

  /// Adds an option that may be given several times, each time with another text.
  CommandLine& option(const std::string& name, std::vector<std::string>& values, const std::string& help);

  /// Adds an argument without dashes, which must be given unless `value` has a default; where `allowed` is not empty, one
  /// of these. Arguments are read in the order in which they were added.
  CommandLine& argument(const std::string& name, std::string& value, const std::string& help,
                        std::vector<std::string> allowed = {});

  /// Reads the arguments. `--help` prints the options and ends the program with status 0; an unknown option or a bad
  /// value prints one line on stderr that names it and ends the program with status 2.
  void parse(int argc, const char* const* argv);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

/// Runs the body of `main` and returns the exit status: 0, or 1 after an exception, whose message goes to stderr, and where
/// what was printed could not be written.
///
///     int main(int argc, char** argv) {
///       return mellow::run_main([&] { ... });
///     }
int run_main(const std::function<void()>& body);

}  // namespace mellow
