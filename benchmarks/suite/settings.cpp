// SPDX-License-Identifier: Apache-2.0
#include "settings.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include <mellow/core/error.hpp>
#include <mellow/core/nearest.hpp>
#include <mellow/tools/read_number.hpp>

namespace mellow::suite {
namespace {

constexpr auto where = "--set";

constexpr std::array shapes{std::pair("constant", Schedule::Shape::Constant),
                            std::pair("linear", Schedule::Shape::Linear), std::pair("cosine", Schedule::Shape::Cosine),
                            std::pair("exponential", Schedule::Shape::Exponential)};

std::vector<std::string> split(std::string_view text, char at) {
  std::vector<std::string> parts;
  for (std::size_t begin = 0; begin <= text.size();) {
    const auto end = std::min(text.find(at, begin), text.size());
    parts.emplace_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
  return parts;
}

template <class Number>
Number number(std::string_view text, std::string_view name, std::string_view what) {
  const auto value = tools::read_number<Number>(text);
  if (!value) throw Error(where, fmt::format("{} must be {}", name, what), text);
  return *value;
}

std::string text_of(const Schedule& schedule) {
  std::string text = fmt::format("{}", schedule.start());
  if (schedule.shape() != Schedule::Shape::Constant) {
    const auto shape = std::ranges::find(shapes, schedule.shape(), [](const auto& s) { return s.second; });
    text = fmt::format("{}:{}:{}:{}", shape->first, schedule.start(), schedule.end(), schedule.duration());
  }
  if (schedule.warm_up_duration() > 0) return fmt::format("warm_up:{}:{}", schedule.warm_up_duration(), text);
  if (schedule.hold_duration() > 0) return fmt::format("hold:{}:{}", schedule.hold_duration(), text);
  return text;
}

Schedule read_schedule(std::string_view text, std::string_view name) {
  constexpr auto form =
      "a number, SHAPE:FROM:TO:STEPS with linear, cosine or exponential, or warm_up:STEPS: or hold:STEPS: before one";
  if (const auto constant = tools::read_number<double>(text)) return *constant;
  auto parts = split(text, ':');
  if (parts.size() > 2 && (parts[0] == "warm_up" || parts[0] == "hold"))
    return (parts[0] == "hold" ? hold : warm_up)(
        number<Index>(parts[1], name, form), read_schedule(text.substr(parts[0].size() + parts[1].size() + 2), name));
  const auto shape = std::ranges::find_if(shapes, [&](const auto& s) { return parts[0] == s.first; });
  if (parts.size() != 4 || shape == shapes.end()) throw Error(where, fmt::format("{} must be {}", name, form), text);
  return {shape->second, number<double>(parts[1], name, form), number<double>(parts[2], name, form),
          number<Index>(parts[3], name, form)};
}

}  // namespace

void Settings::add(std::string name, double& value, std::string help) {
  add({.name = name,
       .help = std::move(help),
       .read = [&value] { return fmt::format("{}", value); },
       .write = [&value](std::string_view text,
                         const std::string& full) { value = number<double>(text, full, "a number"); }});
}

void Settings::add(std::string name, Index& value, std::string help) {
  add({.name = name,
       .help = std::move(help),
       .read = [&value] { return fmt::format("{}", value); },
       .write = [&value](std::string_view text,
                         const std::string& full) { value = number<Index>(text, full, "a whole number"); }});
}

void Settings::add(std::string name, std::uint64_t& value, std::string help) {
  add({.name = name,
       .help = std::move(help),
       .read = [&value] { return fmt::format("{}", value); },
       .write =
           [&value](std::string_view text, const std::string& full) {
             value = number<std::uint64_t>(text, full, "a whole number of at least 0");
           }});
}

void Settings::add(std::string name, bool& value, std::string help) {
  add({.name = name,
       .help = std::move(help),
       .read = [&value] { return value ? "true" : "false"; },
       .write =
           [&value](std::string_view text, const std::string& full) {
             if (text != "true" && text != "false")
               throw Error(where, fmt::format("{} must be true or false", full), text);
             value = text == "true";
           }});
}

void Settings::add(std::string name, std::string& value, std::string help) {
  add({.name = name,
       .help = std::move(help),
       .read = [&value] { return value; },
       .write = [&value](std::string_view text, const std::string&) { value = text; }});
}

void Settings::add(std::string name, std::vector<Index>& value, std::string help) {
  add({.name = name,
       .help = std::move(help),
       .read = [&value] { return fmt::format("{}", fmt::join(value, ",")); },
       .write =
           [&value](std::string_view text, const std::string& full) {
             std::vector<Index> read;
             if (!text.empty())
               for (const auto& part : split(text, ','))
                 read.push_back(number<Index>(part, full, "whole numbers with commas between them"));
             value = std::move(read);
           }});
}

void Settings::add(std::string name, Schedule& value, std::string help) {
  add({.name = name,
       .help = std::move(help),
       .read = [&value] { return text_of(value); },
       .write = [&value](std::string_view text, const std::string& full) { value = read_schedule(text, full); }});
}

void Settings::add_choice(std::string name, std::function<std::size_t()> read, std::function<void(std::size_t)> write,
                          std::vector<std::string> alternatives, std::string help) {
  help += fmt::format(": {}", fmt::join(alternatives, ", "));
  add({.name = name,
       .help = std::move(help),
       .read = [read = std::move(read), alternatives] { return alternatives[read()]; },
       .write =
           [write = std::move(write), alternatives](std::string_view text, const std::string& full) {
             const auto found = std::ranges::find(alternatives, text);
             if (found == alternatives.end()) {
               const auto near = nearest(text, alternatives);
               throw Error(where,
                           fmt::format("{} must be one of {}{}", full, fmt::join(alternatives, ", "),
                                       near.empty() ? "" : "; did you mean " + near + "?"),
                           text);
             }
             write(static_cast<std::size_t>(found - alternatives.begin()));
           },
       .is_choice = true});
}

void Settings::begin_alternative(const std::string& choice, const std::string& alternative) {
  choice_ = choice;
  alternative_ = alternative;
}

void Settings::end_alternative() {
  choice_.clear();
  alternative_.clear();
}

void Settings::only_with(std::string choice, std::vector<std::string> alternatives) {
  settings_.back().choice = std::move(choice);
  settings_.back().alternatives = std::move(alternatives);
}

void Settings::add(Setting setting) {
  if (!choice_.empty()) {
    setting.name = choice_ + "." + setting.name;
    setting.choice = choice_;
    setting.alternatives = {alternative_};
  }
  setting.name = prefix_ + setting.name;
  settings_.push_back(std::move(setting));
}

bool Settings::applies(const Setting& setting) const {
  if (setting.choice.empty()) return true;
  const auto choice = std::ranges::find(settings_, setting.choice, &Setting::name);
  return std::ranges::find(setting.alternatives, choice->read()) != setting.alternatives.end();
}

/// The setting of a name; where several alternatives have it, the one that is chosen.
const Settings::Setting* Settings::find(std::string_view name) const {
  const Setting* found = nullptr;
  for (const Setting& setting : settings_)
    if (setting.name == name && (found == nullptr || applies(setting))) found = &setting;
  return found;
}

void Settings::set(const std::vector<std::string>& assignments) {
  const auto turn = [](const Setting& setting) { return !setting.is_choice ? 2 : setting.choice.empty() ? 0 : 1; };
  for (const int now : {0, 1, 2}) {
    for (const std::string& assignment : assignments) {
      const auto equals = assignment.find('=');
      if (equals == assignment.npos) throw Error(where, "must be name=value", assignment);
      const std::string name = assignment.substr(0, equals);
      const Setting* const setting = find(name);
      if (setting == nullptr) {
        std::vector<std::string> known;  // those of what is chosen come first
        for (const bool first : {true, false})
          for (const Setting& s : settings_)
            if (applies(s) == first) known.push_back(s.name);
        const auto near = nearest(name, known);
        throw Error(
            where,
            fmt::format("there is no such setting{}",
                        near.empty() ? " (`mellow_bench train --settings` lists all)" : "; did you mean " + near + "?"),
            name);
      }
      if (turn(*setting) != now) continue;
      if (!applies(*setting)) {
        std::vector<std::string> all;  // alternatives may have settings of one name
        for (const Setting& s : settings_)
          if (s.name == name) all.insert(all.end(), s.alternatives.begin(), s.alternatives.end());
        throw Error(where,
                    fmt::format("{} belongs to {}={}, but that is {} here", name, setting->choice,
                                fmt::join(all, " or "), find(setting->choice)->read()),
                    assignment);
      }
      setting->write(std::string_view(assignment).substr(equals + 1), name);
    }
  }
}

std::map<std::string, std::string> Settings::values() const {
  std::map<std::string, std::string> result;
  for (const Setting& setting : settings_)
    if (applies(setting)) result[setting.name] = setting.read();
  return result;
}

std::string Settings::help() const {
  std::size_t width = 0;
  for (const Setting& setting : settings_) width = std::max(width, setting.name.size());
  std::string text;
  for (const Setting& setting : settings_)
    text += fmt::format("  {:<{}}  {} [{}]{}\n", setting.name, width, setting.help, setting.read(),
                        setting.choice.empty()
                            ? ""
                            : fmt::format(" (with {}={})", setting.choice, fmt::join(setting.alternatives, " or ")));
  return text;
}

}  // namespace mellow::suite
