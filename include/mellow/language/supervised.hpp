// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <array>
#include <limits>
#include <span>
#include <utility>

#include <mellow/core/buffer.hpp>
#include <mellow/core/metric.hpp>
#include <mellow/data/epochs.hpp>
#include <mellow/language/training_step.hpp>

namespace mellow::language {

/// The numbers of a supervised training.
struct SupervisedOptions {
  Index batch = 32;                ///< sequences an update, > 0, at most all
  Index micro_batch = 0;           ///< most sequences that the model reads at once, for memory, >= 0; 0: the batch
  double max_gradient_norm = 1.0;  ///< longer gradients are scaled down to it, > 0; infinity: none

  /// Throws Error for a number out of range.
  void validate() const {
    constexpr auto where = "language::Supervised";
    require(batch > 0, where, "batch must be positive", batch);
    require(micro_batch >= 0, where, "micro_batch must not be negative", micro_batch);
    require(max_gradient_norm > 0, where, "max_gradient_norm must be positive", max_gradient_norm);
  }
};

/// What an update found.
struct SupervisedLearned {
  double loss = std::numeric_limits<double>::quiet_NaN();           ///< mean -log p of the batch's completion tokens
  double gradient_norm = std::numeric_limits<double>::quiet_NaN();  ///< before clipping
  double learning_rate = std::numeric_limits<double>::quiet_NaN();  ///< of the step
  double tokens = std::numeric_limits<double>::quiet_NaN();         ///< read so far, prompts included
  double held_out_loss = std::numeric_limits<double>::quiet_NaN();  ///< as `loss`, of the last evaluation

  /// The same by name.
  std::array<Metric, 5> metrics() const {
    return {{{"loss", loss},
             {"gradient_norm", gradient_norm},
             {"learning_rate", learning_rate},
             {"tokens", tokens},
             {"held_out_loss", held_out_loss}}};
  }
};

/// Trains a language model to imitate completions: an update is a step of gradient descent on
///
///     L = -1/N sum over sequences and their completions' tokens of log p(token | those before it)
///
/// with N the completion tokens of the batch, so that long completions count for more. Batches come in a random order,
/// each sequence once an epoch. Parts, in any order: optimiser (`AdamW`), reduction (`OneProcess`).
///
///     language::Supervised learner(model, theta, data, held_out, {.batch = 32},
///                                  nn::AdamW{.learning_rate = warm_up(50, cosine(2e-3, 1e-4, 1'250)), .weight_decay = 0});
///     training::fit(learner, {.steps = 1'300});
///
/// A score is minus the mean loss of the held-out sequences' tokens. A `training::DataLearner`; an update on a batch that
/// is not larger than those before allocates nothing.
template <LanguageModel Model, class... Parts>
class Supervised {
 public:
  using Scalar = typename Model::Scalar;  ///< of parameters

  /// Begins at `theta`. Without held-out sequences it cannot be evaluated. Throws Error for numbers out of range, and
  /// for sequences that are longer than the model's context or hold what is no token of it.
  Supervised(Model model, const ConstVectorRef<Scalar>& theta, TokenSequences data, TokenSequences held_out = {},
             SupervisedOptions options = {}, const Parts&... parts)
      : options_((options.validate(), options)),
        data_(std::move(data)),
        held_out_(std::move(held_out)),
        order_(data_.size()),
        step_(where, std::move(model), theta, options.batch, options.max_gradient_norm, parts...) {
    if (options.batch > data_.size())
      throw Error(where, fmt::format("batch must be at most the {} sequences", data_.size()), options.batch);
    step_.require_fit(data_);
    step_.require_fit(held_out_);
  }

  /// One update, on a batch that it draws. Throws Error where loss or gradient are not finite.
  SupervisedLearned update(Rng& rng) {
    const auto batch = order_.next(options_.batch, rng), own = step_.share(batch);
    Index scored = 0;
    for (const Index i : batch) {
      scored += data_.completion_length(i);
      tokens_ += data_.packed().length(i);
    }
    const double share = 1.0 / static_cast<double>(scored);
    std::array<double, 1> loss{};
    step_.begin();
    for (std::size_t at = 0; at < own.size(); at += at_once()) {
      loss[0] -= share * read(own.subspan(at, std::min(at_once(), own.size() - at)), data_);
      auto weights = weights_.reshape(read_.tokens(), 1);
      weights.setConstant(static_cast<Scalar>(-share));
      step_.backward(weights.col(0));
    }
    const auto taken = step_.take(loss);
    return {.loss = loss[0],
            .gradient_norm = taken.gradient_norm,
            .learning_rate = taken.learning_rate,
            .tokens = static_cast<double>(tokens_),
            .held_out_loss = held_out_loss_};
  }

  /// Minus the mean -log p of the held-out completions' tokens. Throws Error where there are none.
  double evaluate() {
    require(held_out_.size() > 0, where, "an evaluation needs a held-out sequence", held_out_.size());
    double sum = 0;
    Index scored = 0;
    for (Index at = 0; at < held_out_.size();) {
      read_.clear();
      for (std::size_t n = 0; n < at_once() && at < held_out_.size(); ++n, ++at) {
        read_.add(held_out_, at);
        scored += held_out_.completion_length(at);
      }
      sum += sum_of_read();
    }
    held_out_loss_ = -sum / static_cast<double>(scored);
    return -held_out_loss_;
  }

  /// Brings the figure of evaluations among an update's metrics up to date.
  void after_evaluation(std::span<Metric> metrics) const { metrics.back().value = held_out_loss_; }

  const Model& model() const { return step_.model(); }                     ///< its shapes
  const SupervisedOptions& options() const { return options_; }            ///< as given
  const Vector<Scalar>& parameters() const { return step_.parameters(); }  ///< the model's
  const Vector<Scalar>& gradient() const { return step_.gradient(); }      ///< of the last update, after clipping
  Index updates() const { return step_.updates(); }                        ///< made so far
  Index epochs() const { return order_.begun(); }                          ///< begun so far
  Index tokens() const { return tokens_; }                                 ///< read so far, prompts included
  auto& optimizer_state() { return step_.optimizer_state(); }              ///< what the optimiser keeps
  /// Sets the parameters. Throws Error for another length.
  void set_parameters(const ConstVectorRef<Scalar>& theta) { step_.set_parameters(theta); }

  template <class Self, class Visit>
  static void visit_state(Self& self, Visit&& visit) {
    visit("step", self.step_);
    visit("order", self.order_);
    visit("tokens", self.tokens_);
    visit("held_out_loss", self.held_out_loss_);
  }

 private:
  static constexpr auto where = "language::Supervised";

  std::size_t at_once() const {
    return static_cast<std::size_t>(options_.micro_batch > 0 ? options_.micro_batch : options_.batch);
  }
  /// Reads sequences; gives the sum of log p of their completions' tokens.
  double read(std::span<const Index> rows, const TokenSequences& from) {
    read_.clear();
    for (const Index i : rows) read_.add(from, i);
    return sum_of_read();
  }
  double sum_of_read() {
    double sum = 0;
    const auto& values = step_.read(read_);
    for (Index t = 0; t < values.size(); ++t) sum += static_cast<double>(values[t]);  // a prompt's are 0
    return sum;
  }

  SupervisedOptions options_;
  TokenSequences data_, held_out_, read_;
  data::Epochs order_;
  detail::TrainingStep<Model, Parts...> step_;
  Buffer<Scalar> weights_;
  Index tokens_ = 0;
  double held_out_loss_ = std::numeric_limits<double>::quiet_NaN();
};

}  // namespace mellow::language
