// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <concepts>
#include <functional>
#include <limits>
#include <map>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include <mellow/core/schedule.hpp>
#include <mellow/core/types.hpp>

namespace mellow::suite {

/// Values that can be set by name, `--set discount=0.9`: views of the variables of an agent or an environment.
///
///     settings.add("discount", options.discount, "of the next state's value");
///
/// A choice (`backup`) has alternatives (`max`, `mellowmax`); what belongs to one of them (`backup.omega`) can be set
/// only where it is the one that is chosen.
class Settings {
 public:
  /// @{
  /// Adds a variable, which must outlive this.
  void add(std::string name, double& value, std::string help);
  void add(std::string name, Index& value, std::string help);
  void add(std::string name, std::uint64_t& value, std::string help);
  void add(std::string name, bool& value, std::string help);
  void add(std::string name, std::string& value, std::string help);
  void add(std::string name, std::vector<Index>& value, std::string help);  ///< written 64,64
  void add(std::string name, Schedule& value, std::string help);            ///< written 0.1, or linear:1:0.05:10000
  /// @}

  /// Adds a choice among named alternatives, whose number is `value`.
  void add_choice(std::string name, std::size_t& value, std::vector<std::string> alternatives, std::string help) {
    add_choice(
        std::move(name), [&value] { return value; }, [&value](std::size_t chosen) { value = chosen; },
        std::move(alternatives), std::move(help));
  }
  /// The same of an enumeration, whose values are in the order of the alternatives.
  template <class Enum>
    requires std::is_enum_v<Enum>
  void add_choice(std::string name, Enum& value, std::vector<std::string> alternatives, std::string help) {
    add_choice(
        std::move(name), [&value] { return static_cast<std::size_t>(value); },
        [&value](std::size_t chosen) { value = static_cast<Enum>(chosen); }, std::move(alternatives), std::move(help));
  }

  /// Names of what is added from here on begin with this.
  void set_prefix(std::string prefix) { prefix_ = std::move(prefix); }

  /// What is added from here on belongs to the alternative of a choice: its names begin with "choice.". Until the
  /// matching `end_alternative`.
  void begin_alternative(const std::string& choice, const std::string& alternative);
  void end_alternative();

  /// What was added last belongs to these alternatives of a choice, under its own name.
  void only_with(std::string choice, std::vector<std::string> alternatives);

  /// Applies texts "name=value", choices first, those that belong to no other choice before the rest. Throws Error for an
  /// unknown name, with the nearest one, for a value that cannot be read, and for what belongs to an alternative that is
  /// not chosen.
  void set(const std::vector<std::string>& assignments);

  /// All names with their present values as texts; without what belongs to alternatives that are not chosen.
  std::map<std::string, std::string> values() const;

  /// A line for each: name, present value, meaning.
  std::string help() const;

 private:
  struct Setting {
    std::string name, help;
    std::function<std::string()> read;
    std::function<void(std::string_view text, const std::string& name)> write;  // throws Error, in this name
    bool is_choice = false;
    std::string choice{};                     // to which it belongs; empty: to none
    std::vector<std::string> alternatives{};  // of this choice
  };

  void add(Setting setting);
  void add_choice(std::string name, std::function<std::size_t()> read, std::function<void(std::size_t)> write,
                  std::vector<std::string> alternatives, std::string help);
  bool applies(const Setting& setting) const;
  const Setting* find(std::string_view name) const;

  std::vector<Setting> settings_;
  std::string prefix_, choice_, alternative_;
};

}  // namespace mellow::suite
