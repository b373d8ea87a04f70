// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

namespace mellow::data {

/// A completion to be imitated, as text.
struct SupervisedExample {
  std::string prompt{};      ///< what is given; may be empty
  std::string completion{};  ///< not empty
  std::string where{};       ///< where it was read, "texts.jsonl:12", for messages; empty: nowhere
};

}  // namespace mellow::data
