// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <span>
#include <utility>
#include <vector>

#include <mellow/core/error.hpp>
#include <mellow/core/language_model.hpp>
#include <mellow/core/owning_language_model.hpp>
#include <mellow/core/rng.hpp>
#include <mellow/language/sampling.hpp>
#include <mellow/nn/adamw.hpp>
#include <mellow/nn/clip.hpp>
#include <mellow/nn/parts.hpp>

namespace mellow::language {

/// A language model with its parameters, its gradient and its optimiser: the owning form of a `LanguageModel`, for code
/// that only scores, weighs, steps and samples, and as the pattern of a wrapper around a model of another library.
///
///     language::Owning policy(language::Transformer(options), theta, nn::AdamW{.learning_rate = 3e-4});
///     auto before = policy.clone();                                                   // a reference, an old policy
///     language::PreferenceTraining learner(policy, pairs, held_out, preference::Dpo{}, {.batch = 32});
///
/// An OwningLanguageModel. A copy is a model of its own.
template <LanguageModel Model, class Optimizer = nn::AdamW>
  requires nn::OptimizerPart<Optimizer, typename Model::Scalar>
class Owning {
 public:
  using Scalar = typename Model::Scalar;  ///< of parameters and values

  /// Begins at `theta`. Throws Error for parameters that are not the model's size and an optimiser's numbers out of
  /// range.
  Owning(Model model, Vector<Scalar> theta, Optimizer optimizer = {})
      : model_(std::move(model)), optimizer_(std::move(optimizer)), theta_(std::move(theta)) {
    validate_part(optimizer_);
    require(theta_.size() == model_.parameters(), "language::Owning", "theta must have the model's parameters",
            theta_.size());
    gradient_ = Vector<Scalar>::Zero(theta_.size());
    state_.reset(model_);
  }

  const Model& model() const { return model_; }                 ///< its shapes
  Index vocabulary() const { return model_.vocabulary(); }      ///< the model's
  Index context() const { return model_.context(); }            ///< the model's
  const Vector<Scalar>& parameters() const { return theta_; }   ///< as they are
  const Vector<Scalar>& gradient() const { return gradient_; }  ///< accumulated so far; after a step as it was clipped
  Index updates() const { return updates_; }                    ///< steps made

  /// The model's, a view that lives until the next call.
  auto log_probabilities(const PackedTokens& packed) {
    read_.assign(packed);
    return model_.log_probabilities(theta_, packed, tape_);
  }
  /// The model's, a view that lives until the next call.
  auto log_distributions(const PackedTokens& packed) {
    read(packed);
    return model_.log_distributions(tape_);
  }
  /// Gradient 0.
  void zero_gradient() { gradient_.setZero(); }
  /// Adds the gradient of sum_t weights_t log p_t; reads the sequences first where those read last were others.
  void accumulate(const PackedTokens& packed, const ConstVectorRef<Scalar>& weights) {
    read(packed);
    model_.backward(theta_, tape_, weights, gradient_);
  }
  /// Adds the gradient of a function of `log_distributions(packed)`, from its derivatives by them.
  void accumulate_soft(const PackedTokens& packed, const ConstMatrixRef<Scalar>& d) {
    read(packed);
    model_.backward_soft(theta_, tape_, d, gradient_);
  }
  /// Clips the gradient, and takes the optimiser's step.
  OwnStep step(double max_gradient_norm) {
    const double norm = nn::clip_norm<Scalar>(gradient_, static_cast<Scalar>(max_gradient_norm));
    optimizer_.step(state_, theta_, gradient_);
    read_.forget();
    return {norm, optimizer_.learning_rate(updates_++)};
  }

  /// Continues prompts as `Sampler` does.
  Samples<Scalar> sample(const PackedTokens& prompts, const SamplingOptions& options, Rng& rng) const {
    return Sampler(model_, options).sample(theta_, prompts, rng);
  }
  /// A copy, which goes its own way.
  Owning clone() const { return *this; }

  template <class Self, class Visit>
  static void visit_state(Self& self, Visit&& visit) {
    visit("parameters", self.theta_);
    visit("gradient", self.gradient_);
    visit("optimizer", self.state_);
    visit("updates", self.updates_);
  }

 private:
  /// What the tape holds.
  struct Read {
    std::vector<Token> tokens;
    std::vector<Index> starts, given;

    void assign(const PackedTokens& packed) {
      const auto all = own_tokens(packed);
      tokens.assign(all.begin(), all.end());
      starts.assign(packed.starts.begin(), packed.starts.end());
      given.assign(packed.given.begin(), packed.given.end());
    }
    bool operator==(const PackedTokens& packed) const {
      return std::ranges::equal(starts, packed.starts) && std::ranges::equal(given, packed.given) &&
             std::ranges::equal(tokens, own_tokens(packed));
    }
    void forget() { starts.clear(); }

   private:
    static std::span<const Token> own_tokens(const PackedTokens& packed) {
      return packed.starts.empty() ? std::span<const Token>()
                                   : packed.tokens.subspan(static_cast<std::size_t>(packed.start(0)),
                                                           static_cast<std::size_t>(packed.size()));
    }
  };
  void read(const PackedTokens& packed) {
    if (!(read_ == packed)) log_probabilities(packed);
  }

  Model model_;
  Optimizer optimizer_;
  Vector<Scalar> theta_, gradient_;
  typename Optimizer::template State<Scalar> state_;
  typename Model::Tape tape_;
  Read read_;
  Index updates_ = 0;
};

}  // namespace mellow::language
