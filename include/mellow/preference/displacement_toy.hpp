// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cmath>

#include <mellow/core/error.hpp>
#include <mellow/core/numerics.hpp>
#include <mellow/core/rng.hpp>
#include <mellow/core/types.hpp>

namespace mellow::preference {

/// The size of a `DisplacementToy`, and how alike its pairs are.
struct DisplacementToyOptions {
  Index prompts = 20;      ///< > 0; a pair each
  Index responses = 20;    ///< of a prompt, >= 2
  Index features = 200;    ///< of a response, > 0
  double scale = 1.25;     ///< of the rejected response's features along the chosen one's, finite
  double noise = 0.3;      ///< of the rest of them, finite
  double advantage = 2.0;  ///< added to the logits of both responses of a pair, finite

  /// Throws Error for a number out of range.
  void validate() const {
    constexpr auto where = "preference::DisplacementToy";
    require(prompts > 0, where, "prompts must be positive", prompts);
    require(responses >= 2, where, "responses must be at least 2", responses);
    require(features > 0, where, "features must be positive", features);
    require(std::isfinite(scale), where, "scale must be finite", scale);
    require(std::isfinite(noise), where, "noise must be finite", noise);
    require(std::isfinite(advantage), where, "advantage must be finite", advantage);
  }
};

/// The smallest system in which DPO displaces the chosen response for a clean reason: it shares its direction of
/// features with the rejected one, whose features are longer, so that pushing both down is the cheapest way to widen
/// the margin.
///
///     pi(y | k) = softmax_y(phi(k, y)' w + b(k, y)),   phi ~ N(0, I / features),   b ~ N(0, 1) + advantage for a pair
///     phi(k, 1) = scale phi(k, 0) + noise phi(k, 1)
///
/// Of each prompt k response 0 is chosen and response 1 rejected. The reference is w = 0. For trying losses in seconds.
class DisplacementToy {
 public:
  /// Draws one. Throws Error for numbers out of range.
  explicit DisplacementToy(Rng& rng, const DisplacementToyOptions& options = {}) : options_(options) {
    options_.validate();
    const Index all = options_.prompts * options_.responses;
    const double deviation = 1.0 / std::sqrt(static_cast<double>(options_.features));
    features_ = Matrix<double>::NullaryExpr(options_.features, all, [&] { return deviation * rng.normal(); });
    biases_ = Matrix<double>::NullaryExpr(options_.responses, options_.prompts, [&] { return rng.normal(); });
    biases_.topRows(2).array() += options_.advantage;
    for (Index k = 0; k < options_.prompts; ++k) {
      const Index chosen = k * options_.responses, rejected = chosen + 1;
      features_.col(rejected) = options_.scale * features_.col(chosen) + options_.noise * features_.col(rejected);
    }
    Matrix<double> reference;
    log_probs(Vector<double>::Zero(parameters()), reference);
    reference_chosen_ = reference.row(0);
    reference_rejected_ = reference.row(1);
  }

  Index parameters() const { return options_.features; }                            ///< of w
  Index prompts() const { return options_.prompts; }                                ///< pairs
  const Vector<double>& reference_chosen() const { return reference_chosen_; }      ///< log pi_ref(0 | k), one a prompt
  const Vector<double>& reference_rejected() const { return reference_rejected_; }  ///< log pi_ref(1 | k)

  /// Writes log pi(y | k), responses x prompts. Throws Error where w has another length.
  void log_probs(const ConstVectorRef<double>& w, Matrix<double>& log_probs) const {
    if (w.size() != parameters())
      throw Error("preference::DisplacementToy", fmt::format("w must have {} numbers", parameters()), w.size());
    log_probs = biases_;
    log_probs.reshaped().noalias() += features_.transpose() * w;
    for (Index k = 0; k < prompts(); ++k) log_probs.col(k).array() -= log_sum_exp(log_probs.col(k));
  }

  /// Writes dL/dw from dL/d log pi of the chosen and the rejected responses, one a prompt, at these log-probabilities:
  /// d log pi(y | k) / dw = phi(k, y) - sum_y' pi(y' | k) phi(k, y'). The log-probabilities are overwritten.
  void gradient(Matrix<double>& log_probs, const ConstVectorRef<double>& d_chosen,
                const ConstVectorRef<double>& d_rejected, VectorRef<double> d_w) const {
    auto& d_logits = log_probs;
    for (Index k = 0; k < prompts(); ++k) {
      d_logits.col(k) = -(d_chosen[k] + d_rejected[k]) * log_probs.col(k).array().exp();
      d_logits(0, k) += d_chosen[k];
      d_logits(1, k) += d_rejected[k];
    }
    d_w.noalias() = features_ * d_logits.reshaped();
  }

 private:
  DisplacementToyOptions options_;
  Matrix<double> features_;  // features x (responses x prompts)
  Matrix<double> biases_;    // responses x prompts
  Vector<double> reference_chosen_, reference_rejected_;
};

}  // namespace mellow::preference
