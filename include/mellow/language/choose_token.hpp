// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>
#include <vector>

#include <mellow/core/buffer.hpp>
#include <mellow/core/error.hpp>
#include <mellow/core/language_model.hpp>
#include <mellow/core/rng.hpp>
#include <mellow/core/types.hpp>
#include <mellow/language/attention.hpp>

namespace mellow::language {

/// How the next token is drawn from p = softmax(logits / temperature). As it stands, from the model itself.
struct TokenChoice {
  double temperature = 1.0;  ///< >= 0, finite; 0: the most likely token, the first of several
  Index top_k = 0;           ///< only the k most likely tokens stay, >= 0; 0: all (Fan et al. 2018)
  double top_p = 1.0;  ///< only the fewest most likely tokens with this probability, in (0, 1] (Holtzman et al. 2020)

  /// Throws Error for numbers out of range.
  void validate() const {
    require(std::isfinite(temperature) && temperature >= 0, "language::TokenChoice",
            "temperature must be finite and not negative", temperature);
    require(top_k >= 0, "language::TokenChoice", "top_k must not be negative", top_k);
    require(top_p > 0 && top_p <= 1, "language::TokenChoice", "top_p must lie in (0, 1]", top_p);
  }
};

/// A drawn token.
template <class Scalar>
struct ChosenToken {
  Token token;             ///< which
  Scalar log_probability;  ///< under the model: softmax(logits), whatever the choice
};

/// Draws tokens; owns the memory that this takes.
template <class Scalar>
class TokenChooser {
 public:
  /// Throws Error for numbers out of range.
  explicit TokenChooser(const TokenChoice& choice = {}) : choice_(choice) { choice.validate(); }

  /// Draws one number of `rng` and with it a token; a temperature whose inverse overflows counts as 0. Where several are
  /// as likely as the last that top_k or top_p lets stay, the first of them stay. Throws Error for logits that make no
  /// probabilities: with a NaN or an infinity among them, or all of them -infinity.
  ChosenToken<Scalar> operator()(const ConstVectorRef<Scalar>& logits, Rng& rng) {
    const Index n = logits.size(), height = detail::padded<Scalar>(n);
    detail::PaddedArray<Scalar> weights(weights_.reshape(height, 1).data(), height);
    weights.head(n) = logits.array();
    weights.tail(height - n) = -std::numeric_limits<Scalar>::infinity();
    Index likeliest = 0;
    const Scalar largest = weights.maxCoeff(&likeliest);
    weights = (weights - largest).exp();
    const Scalar log_sum = largest + std::log(weights.sum());
    if (!std::isfinite(log_sum))
      throw Error("language::TokenChooser", "the logits make no probabilities: their sum of exponentials is", log_sum);
    const double u = rng.uniform();  // whatever the temperature, so that streams stay in step
    Index chosen = likeliest;
    const auto sharpness = static_cast<Scalar>(1.0 / choice_.temperature);
    if (std::isfinite(sharpness)) {
      if (choice_.temperature != 1) weights.head(n) = ((logits.array() - largest) * sharpness).exp();
      chosen = cut() ? among_best(weights.data(), n, u) : among_all(weights.data(), n, u);
    }
    return {static_cast<Token>(chosen), logits[chosen] - log_sum};
  }

 private:
  bool cut() const { return choice_.top_k > 0 || choice_.top_p < 1; }

  static Index among_all(const Scalar* weights, Index n, double u) {
    double total = 0.0;
    for (Index i = 0; i < n; ++i) total += static_cast<double>(weights[i]);
    double left = u * total;
    Index last = 0;  // guards against rounding at the upper end
    for (Index i = 0; i < n; ++i) {
      if (weights[i] <= Scalar(0)) continue;
      last = i;
      if ((left -= static_cast<double>(weights[i])) < 0) break;
    }
    return last;
  }

  Index among_best(const Scalar* weights, Index n, double u) {
    heap_.clear();
    double total = 0.0;
    for (Index i = 0; i < n; ++i) {
      heap_.emplace_back(weights[i], -i);  // of equals, the first is the largest
      total += static_cast<double>(weights[i]);
    }
    std::ranges::make_heap(heap_);
    const Index most = choice_.top_k > 0 ? std::min(choice_.top_k, n) : n;
    double kept = 0.0;
    auto end = heap_.end();
    for (Index k = 0; k < most && (k == 0 || kept < choice_.top_p * total); ++k, --end) {
      std::ranges::pop_heap(heap_.begin(), end);
      kept += static_cast<double>((end - 1)->first);
    }
    double left = u * kept;  // over the kept ones, the likeliest first
    auto at = heap_.end();
    do left -= static_cast<double>((--at)->first);
    while (left >= 0 && at != end);
    return -at->second;
  }

  TokenChoice choice_;
  Buffer<Scalar> weights_;
  std::vector<std::pair<Scalar, Index>> heap_;
};

}  // namespace mellow::language
