// SPDX-License-Identifier: Apache-2.0
#include "mellow/tools/command_line.hpp"

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <new>
#include <optional>

#include "mellow/core/error.hpp"
#include "mellow/core/nearest.hpp"
#include "mellow/tools/read_number.hpp"

namespace mellow {
namespace {

/// What a number must be, such as "a whole number from 1 to 8".
template <class Number>
std::string describe(const OptionRange<Number>& range) {
  const bool low = range.minimum != OptionRange<Number>{}.minimum,
             high = range.maximum != OptionRange<Number>{}.maximum;
  std::string text = std::integral<Number> ? "a whole number" : "a number";
  if (low && high) return text + fmt::format(" from {} to {}", range.minimum, range.maximum);
  if (low) return text + fmt::format(" of at least {}", range.minimum);
  if (high) return text + fmt::format(" of at most {}", range.maximum);
  return std::is_unsigned_v<Number> ? text + " of at least 0" : text;
}

/// Why a text is not one of those allowed; empty where it is, or where any is allowed.
std::string refusal(const std::string& text, const std::vector<std::string>& allowed) {
  if (allowed.empty() || std::ranges::find(allowed, text) != allowed.end()) return {};
  const auto near = nearest(text, allowed);
  return fmt::format("must be one of {} (got {}{})", fmt::join(allowed, ", "), text,
                     near.empty() ? "" : fmt::format("; did you mean {}?", near));
}

}  // namespace

struct CommandLine::Impl {
  explicit Impl(std::string description) : app(std::move(description)) {
    app.allow_extras();
    describe("--help", "print this and exit", "");
  }

  /// Adds an option that hands its last argument to `read`, which throws CLI::ValidationError.
  void add(const std::string& name, const std::string& kind, const std::string& help, const std::string& default_text,
           const std::function<void(const std::string&)>& read) {
    app.add_option_function(name, read)->multi_option_policy(CLI::MultiOptionPolicy::TakeLast);
    describe(name + " " + kind, help, default_text);
  }

  /// Adds a line to the help.
  void describe(const std::string& usage, const std::string& help, const std::string& default_text) {
    lines.emplace_back(usage, default_text.empty() ? help : fmt::format("{} [{}]", help, default_text));
  }

  std::string help(std::string_view program) const {
    std::size_t width = 0;
    for (const auto& [usage, text] : lines) width = std::max(width, usage.size());
    std::string usage_of_arguments;
    for (const Argument& argument : arguments)
      usage_of_arguments += argument.value->empty() ? " " + argument.name : fmt::format(" [{}]", argument.name);
    auto result = fmt::format("{}\n\nUsage: {}{} [options]\n\n", app.get_description(), program, usage_of_arguments);
    for (const auto& [usage, text] : lines) result += fmt::format("  {:<{}}  {}\n", usage, width, text);
    return result;
  }

  /// The known option that `name` most likely was meant to be, or an empty text.
  std::string nearest_option(std::string_view name) const {
    std::vector<std::string> known;
    for (const auto* option : app.get_options())
      for (const auto& long_name : option->get_lnames()) known.push_back("--" + long_name);
    return nearest(name, known);
  }

  /// An argument without dashes, in its place.
  struct Argument {
    std::string name;
    std::string* value;
    std::vector<std::string> allowed;
  };

  CLI::App app;
  std::vector<Argument> arguments;
  std::vector<std::pair<std::string, std::string>> lines;  // usage and explanation of each option, for the help
};

CommandLine::CommandLine(std::string description) : impl_(std::make_unique<Impl>(std::move(description))) {}
CommandLine::~CommandLine() = default;

CommandLine& CommandLine::option(const std::string& name, bool& value, const std::string& help) {
  const auto negated = "--no-" + name.substr(std::min<std::size_t>(name.size(), 2));
  impl_->app.add_flag(name + ",!" + negated, value)
      ->check([](const std::string& text) {
        return text == "true" || text == "false" ? "" : fmt::format("must be true or false (got {})", text);
      })
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeLast);
  impl_->describe(name + ", " + negated, help, value ? "true" : "false");
  return *this;
}

template <class Number>
  requires(std::integral<Number> || std::floating_point<Number>)
CommandLine& CommandLine::option(const std::string& name, Number& value, const std::string& help,
                                 std::type_identity_t<OptionRange<Number>> range) {
  impl_->add(name, std::integral<Number> ? "INT" : "NUMBER", help, fmt::format("{}", value),
             [name, &value, range](const std::string& text) {
               const auto number = tools::read_number<Number>(text);
               // Written so that NaN, which compares with nothing, is refused.
               if (!number || !(*number >= range.minimum && *number <= range.maximum)) {
                 throw CLI::ValidationError(name, fmt::format("must be {} (got {})", describe(range), text));
               }
               value = *number;
             });
  return *this;
}

template CommandLine& CommandLine::option(const std::string&, int&, const std::string&, OptionRange<int>);
template CommandLine& CommandLine::option(const std::string&, long&, const std::string&, OptionRange<long>);
template CommandLine& CommandLine::option(const std::string&, long long&, const std::string&, OptionRange<long long>);
template CommandLine& CommandLine::option(const std::string&, unsigned&, const std::string&, OptionRange<unsigned>);
template CommandLine& CommandLine::option(const std::string&, unsigned long&, const std::string&,
                                          OptionRange<unsigned long>);
template CommandLine& CommandLine::option(const std::string&, unsigned long long&, const std::string&,
                                          OptionRange<unsigned long long>);
template CommandLine& CommandLine::option(const std::string&, float&, const std::string&, OptionRange<float>);
template CommandLine& CommandLine::option(const std::string&, double&, const std::string&, OptionRange<double>);

CommandLine& CommandLine::option(const std::string& name, std::string& value, const std::string& help,
                                 std::vector<std::string> allowed) {
  const auto explained = allowed.empty() ? help : fmt::format("{}: {}", help, fmt::join(allowed, ", "));
  impl_->add(name, "TEXT", explained, value, [name, &value, allowed = std::move(allowed)](const std::string& text) {
    if (const auto why = refusal(text, allowed); !why.empty()) throw CLI::ValidationError(name, why);
    value = text;
  });
  return *this;
}

CommandLine& CommandLine::option(const std::string& name, std::vector<std::string>& values, const std::string& help) {
  impl_->app.add_option(name, values)->expected(1)->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
  impl_->describe(name + " TEXT ...", help, fmt::format("{}", fmt::join(values, ", ")));
  return *this;
}

CommandLine& CommandLine::argument(const std::string& name, std::string& value, const std::string& help,
                                   std::vector<std::string> allowed) {
  impl_->describe(name, allowed.empty() ? help : fmt::format("{}: {}", help, fmt::join(allowed, ", ")), value);
  impl_->arguments.push_back({name, &value, std::move(allowed)});
  return *this;
}

CommandLine& CommandLine::option(const std::string& name, std::filesystem::path& value, const std::string& help) {
  impl_->add(name, "PATH", help, value.string(), [&value](const std::string& text) { value = text; });
  return *this;
}

void CommandLine::parse(int argc, const char* const* argv) {
  auto& app = impl_->app;
  const auto refuse = [&](const std::string& message) {
    fmt::print(stderr, "error: {}\n", message);
    std::exit(2);
  };
  try {
    app.parse(argc, argv);
  } catch (const CLI::CallForHelp&) {
    fmt::print("{}", impl_->help(std::filesystem::path(argv[0]).filename().string()));
    std::exit(0);
  } catch (const CLI::ArgumentMismatch& error) {
    const std::string_view message = error.what();  // "--name: 1 required INT missing"
    refuse(fmt::format("{}: needs a value", message.substr(0, message.find(':'))));
  } catch (const CLI::ParseError& error) {
    refuse(error.what());
  }
  std::size_t place = 0;
  for (const auto& argument : app.remaining()) {
    if (!argument.starts_with('-') && place < impl_->arguments.size()) {
      const auto& [name, value, allowed] = impl_->arguments[place++];
      if (const auto why = refusal(argument, allowed); !why.empty()) refuse(fmt::format("{}: {}", name, why));
      *value = argument;
      continue;
    }
    if (!argument.starts_with('-')) refuse(argument + ": unexpected argument (--help lists all options)");
    const auto name = argument.substr(0, argument.find('='));
    const auto near = impl_->nearest_option(name);
    refuse(
        fmt::format("{}: unknown option ({})", name, near.empty() ? "--help lists all" : "did you mean " + near + "?"));
  }
  for (; place < impl_->arguments.size(); ++place)
    if (impl_->arguments[place].value->empty()) refuse(impl_->arguments[place].name + ": missing (--help explains it)");
}

int run_main(const std::function<void()>& body) {
  try {
    body();
    if (std::fflush(stdout) != 0) throw Error("standard output", "could not be written in full");
    return 0;
  } catch (const std::bad_alloc&) {
    std::fflush(stdout);
    fmt::print(stderr, "error: there is not enough memory for numbers of this size\n");
  } catch (const std::exception& error) {
    std::fflush(stdout);
    fmt::print(stderr, "error: {}\n", error.what());
  }
  return 1;
}

}  // namespace mellow
