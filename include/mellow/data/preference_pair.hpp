// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

namespace mellow::data {

/// A prompt with two completions, of which the first was preferred, as text.
struct PreferencePair {
  std::string prompt{};    ///< may be empty
  std::string chosen{};    ///< the preferred completion, not empty
  std::string rejected{};  ///< the other one, not empty
  std::string where{};     ///< where it was read, "pairs.jsonl:12", for messages; empty: nowhere
};

}  // namespace mellow::data
