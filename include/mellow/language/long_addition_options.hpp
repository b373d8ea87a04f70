// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <mellow/core/error.hpp>
#include <mellow/core/types.hpp>

namespace mellow::language {

/// The size of a `LongAddition`, how uncertain its teacher is, and what it writes that need not be.
struct LongAdditionOptions {
  Index digits = 6;         ///< most of each number, from 1 to 1000
  Index least_digits = 0;   ///< a prompt's are drawn from this number to `digits`, from 1 on; 0: all have `digits`
  double hard_share = 0.3;  ///< probability that an entry of the table of additions is hard, in [0, 1]
  double filler = 0.0;     ///< probability of a filler before a thought, and of each one more, in [0, 1]; 0: no fillers
  Index most_fillers = 3;  ///< that the teacher writes before a thought, > 0
  double skip_share = 0.0;  ///< of the teacher's completions, those that are the answer without thoughts, in [0, 1]

  /// The variant in which a part of what is written can be left out: numbers of 3 to 6 digits, fillers with probability
  /// 0.35 and at most 3 before each thought, a tenth of the completions without thoughts.
  static constexpr LongAdditionOptions with_fillers() {
    return {.least_digits = 3, .filler = 0.35, .most_fillers = 3, .skip_share = 0.1};
  }

  /// Throws Error for a number out of range.
  void validate() const {
    constexpr auto where = "language::LongAddition";
    require(digits >= 1 && digits <= 1'000, where, "digits must be from 1 to 1000", digits);
    require(least_digits >= 0 && least_digits <= digits, where, "least_digits must be from 0 to digits", least_digits);
    require(hard_share >= 0 && hard_share <= 1, where, "hard_share must be from 0 to 1", hard_share);
    require(filler >= 0 && filler <= 1, where, "filler must be from 0 to 1", filler);
    require(most_fillers > 0, where, "most_fillers must be positive", most_fillers);
    require(skip_share >= 0 && skip_share <= 1, where, "skip_share must be from 0 to 1", skip_share);
  }
};

}  // namespace mellow::language
