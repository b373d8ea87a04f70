// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cmath>

#include <mellow/core/error.hpp>
#include <mellow/core/types.hpp>

namespace mellow::language {

/// The sizes of a transformer. As it stands, the small model of the long-addition task.
struct TransformerOptions {
  Index vocabulary = 25;       ///< how many tokens there are, > 0
  Index context = 64;          ///< most tokens of a sequence, > 0
  Index width = 64;            ///< of the residual stream, a multiple of heads
  Index layers = 2;            ///< blocks of attention and feed-forward, >= 0
  Index heads = 4;             ///< of attention, > 0
  Index key_value_heads = 0;   ///< a divisor of heads, each serving several heads (grouped-query attention); 0: heads
  Index hidden = 0;            ///< width inside of the feed-forward part, >= 0; 0: the shape's custom
  double norm_epsilon = 1e-5;  ///< keeps the normalisations' root from 0, > 0
  double rotary_base = 10'000.0;  ///< of rotary positions' wavelengths, > 1; not read where positions are learned

  /// Throws Error for numbers out of range.
  void validate() const {
    const auto positive = [](const char* name, Index value, int power) {
      if (value <= 0 || value > Index{1} << power)
        throw Error("language::TransformerOptions", fmt::format("{} must lie between 1 and 2^{}", name, power), value);
    };
    positive("vocabulary", vocabulary, 28);
    positive("context", context, 28);
    positive("width", width, 20);
    positive("heads", heads, 20);
    require(layers >= 0 && layers <= 100'000, "language::TransformerOptions", "layers must lie between 0 and 100000",
            layers);
    require(width % heads == 0, "language::TransformerOptions",
            fmt::format("width must be a multiple of the {} heads", heads), width);
    require(key_value_heads >= 0 && (key_value_heads == 0 || heads % key_value_heads == 0),
            "language::TransformerOptions", fmt::format("key_value_heads must be 0 or divide the {} heads", heads),
            key_value_heads);
    require(hidden >= 0 && hidden <= (Index{1} << 22), "language::TransformerOptions",
            "hidden must lie between 0 and 2^22", hidden);
    require(std::isfinite(norm_epsilon) && norm_epsilon > 0, "language::TransformerOptions",
            "norm_epsilon must be positive and finite", norm_epsilon);
    require(std::isfinite(rotary_base) && rotary_base > 1, "language::TransformerOptions",
            "rotary_base must be finite and above 1", rotary_base);
  }
};

}  // namespace mellow::language
