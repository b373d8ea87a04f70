// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <limits>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <mellow/language/tokenizer.hpp>

namespace mellow::language::detail {

/// Turns the texts of one example into tokens. All throw Error, naming the example and the field.
template <Tokenizer T>
class TextEncoder {
 public:
  /// `where` names the example in messages.
  TextEncoder(const T& tokenizer, Index context, std::string where)
      : tokenizer_(tokenizer), context_(context), where_(std::move(where)) {}

  /// BOS and the prompt's, which must leave room in the context.
  std::vector<Token> prompt(std::string_view text) {
    auto made = tokens(text, "prompt", {tokenizer_.bos()});
    prompt_ = std::ssize(made);
    if (prompt_ >= context_)
      throw Error(where_, fmt::format("prompt must be shorter than the context of {} tokens", context_), prompt_);
    return made;
  }

  /// A completion's and EOS, which must fit into the context after the prompt that was encoded last.
  std::vector<Token> completion(std::string_view text, std::string_view field) const {
    if (text.empty()) throw Error(where_, fmt::format("{} must not be empty", field));
    auto made = tokens(text, field, {});
    made.push_back(tokenizer_.eos());
    if (prompt_ + std::ssize(made) > context_)
      throw Error(where_, fmt::format("prompt and {} together must fit into the context of {} tokens", field, context_),
                  prompt_ + std::ssize(made));
    return made;
  }

 private:
  std::vector<Token> tokens(std::string_view text, std::string_view field, std::vector<Token> into) const {
    try {
      tokenizer_.encode(text, into);
    } catch (const Error& error) {
      throw Error(where_, fmt::format("{}: {}", field, error.what()));
    }
    return into;
  }

  const T& tokenizer_;
  Index context_, prompt_ = 0;
  std::string where_;
};

}  // namespace mellow::language::detail
