// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <array>
#include <span>
#include <utility>

#include <mellow/core/buffer.hpp>
#include <mellow/data/epochs.hpp>
#include <mellow/language/pair_set.hpp>
#include <mellow/language/preference_training_options.hpp>
#include <mellow/language/training_step.hpp>
#include <mellow/preference/pair_history.hpp>
#include <mellow/preference/pair_objective.hpp>

namespace mellow::language {

/// Trains a language model on preference pairs by any loss of `preference`: an update is a step of gradient descent on
///
///     L(l_w, l_l; r_w, r_l) of a batch of pairs,   l = sum_t log pi(token_t | those before it) of a completion
///
/// whose reference r is, for each pair, computed once. The gradient is sum dL/dl_w grad l_w + dL/dl_l grad l_l: one
/// backward pass of both completions with the loss's derivatives as weights. A loss of pairs takes parts of a batch
/// (`micro_batch`) one after the other; one that couples rows sees the whole batch: the model then reads a part twice,
/// for log-probabilities first, for the gradient after. Parts, in any order: optimiser (`AdamW`), reduction
/// (`OneProcess`; a loss that couples rows couples those of one process).
///
///     language::PreferenceTraining learner(model, theta, pairs, held_out, preference::Dpo{.beta = 0.1}, {.batch = 32},
///                                          nn::AdamW{.learning_rate = 3e-4, .weight_decay = 0});
///     training::fit(learner, {.steps = 500});
///
/// Batches come in a random order, each pair once an epoch. A `training::DataLearner`; an update on a batch that is not
/// larger than those before allocates nothing. What happens to the probability of the pairs' completions, `RecordPairs`
/// keeps.
template <LanguageModel Model, class Loss, class... Parts>
class PreferenceTraining {
  static_assert(preference::detail::require_objective<Loss>());

 public:
  using Scalar = typename Model::Scalar;  ///< of parameters

  /// Begins at `theta`, which is the reference too. Without held-out pairs it cannot be evaluated. Throws Error for
  /// numbers out of range, and for completions that do not fit the model's context or hold what is no token of it.
  PreferenceTraining(Model model, const ConstVectorRef<Scalar>& theta, std::span<const TokenizedPair> pairs,
                     std::span<const TokenizedPair> held_out, Loss loss, PreferenceTrainingOptions options = {},
                     const Parts&... parts)
      : options_((options.validate(), options)),
        loss_(std::move(loss)),
        pairs_(pairs),
        held_out_(held_out),
        order_(pairs_.size()),
        step_(where, std::move(model), theta, options.batch, options.max_gradient_norm, parts...) {
    preference::detail::validate_loss(loss_);
    if (options.batch > pairs_.size())
      throw Error(where, fmt::format("batch must be at most the {} pairs", pairs_.size()), options.batch);
    for (const auto* set : {&pairs_, &held_out_}) step_.require_fit(set->sequences);
    batch_.resize(options.batch);
    if (options.has_reference) set_reference(step_.model(), theta);
  }

  /// Takes another reference: any model of the same tokens. Throws Error where training has no reference.
  template <LanguageModel Reference>
  void set_reference(const Reference& model, const ConstVectorRef<typename Reference::Scalar>& theta) {
    require(options_.has_reference, where, "has_reference must be true for a reference", options_.has_reference);
    typename Reference::Tape tape;
    const auto read = [&](const TokenSequences& sequences) {
      return model.log_probabilities(theta, sequences.packed(), tape);
    };
    for (auto* set : {&pairs_, &held_out_}) read_all(*set, read, set->reference_chosen, set->reference_rejected);
  }

  /// One update, on a batch that it draws. Throws Error where loss or gradient are not finite.
  PreferenceLearned update(Rng& rng) {
    const auto whole = order_.next(options_.batch, rng), own = step_.share(whole);
    for (const Index i : whole) tokens_ += tokens_of(i);
    const Index n = std::ssize(own);
    const double share = 1.0 / static_cast<double>(whole.size());
    batch_.assign(pairs_, own);
    Figures figures{};
    step_.begin();
    const auto derive = [&](Index begin, Index count) {
      auto d_chosen = d_chosen_.reshape(options_.batch, 1).col(0).segment(begin, count);
      auto d_rejected = d_rejected_.reshape(options_.batch, 1).col(0).segment(begin, count);
      d_chosen.setZero();
      d_rejected.setZero();
      const double part = share * static_cast<double>(count);
      const auto found = preference::add_objective(loss_, batch_.batch(begin, count, options_.has_reference), part,
                                                   d_chosen, d_rejected, scratch_);
      add(figures, found, part);
    };
    for_parts(n, [&](Index begin, Index count) {
      read(own, begin, count);
      if constexpr (preference::PairLoss<Loss>) {
        derive(begin, count);
        backward(begin, count);
      }
    });
    if constexpr (!preference::PairLoss<Loss>) {
      derive(0, n);
      for_parts(n, [&](Index begin, Index count) {
        if (count < n) read(own, begin, count);  // the tape holds what was read last
        backward(begin, count);
      });
    }
    const auto taken = step_.take(figures);
    return {.loss = figures[0],
            .gradient_norm = taken.gradient_norm,
            .learning_rate = taken.learning_rate,
            .tokens = static_cast<double>(tokens_),
            .batch = {figures[1], figures[2], figures[3], figures[4], figures[5], figures[6]},
            .held_out = held_out_value()};
  }

  /// The score of the held-out pairs, as the options say. Throws Error where there are none.
  double evaluate() {
    require(held_out_.size() > 0, where, "an evaluation needs a held-out pair", held_out_.size());
    read_all(held_out_, reader(), held_out_.chosen, held_out_.rejected);
    unused_.resize(held_out_.size(), 2);
    const auto found = preference::add_objective(loss_, held_out_.batch(0, held_out_.size(), options_.has_reference),
                                                 0.0, unused_.col(0), unused_.col(1), scratch_);
    held_out_figures_ = {};
    add(held_out_figures_, found, 1.0);
    switch (options_.score) {
      case PreferenceScore::Accuracy:
        return found.metrics.accuracy;
      case PreferenceScore::Margin:
        return found.metrics.margin();
      case PreferenceScore::Loss:
        break;
    }
    return -found.value;
  }

  /// Brings the figures of evaluations among an update's metrics up to date.
  void after_evaluation(std::span<Metric> metrics) const {
    const auto now = PreferenceLearned{.held_out = held_out_value()}.metrics();
    std::copy(now.end() - 3, now.end(), metrics.end() - 3);
  }

  /// Adds the log-probabilities of all pairs, those that it learns from or those that are held out, to a history, for
  /// `preference::diagnose`. Throws Error as `PairHistory::add` does, and where there is no such pair.
  void record(Index step, preference::PairHistory& history, RecordedPairs which = RecordedPairs::Training) {
    detail::PairSet& set = which == RecordedPairs::Training ? pairs_ : held_out_;
    read_all(set, reader(), set.chosen, set.rejected);
    const auto all = set.batch(0, set.size(), options_.has_reference);
    if constexpr (preference::PairLoss<Loss>) history.add(step, all, loss_);
    else history.add(step, all);
  }

  const Model& model() const { return step_.model(); }                     ///< its shapes
  const Loss& loss() const { return loss_; }                               ///< as given
  const PreferenceTrainingOptions& options() const { return options_; }    ///< as given
  const Vector<Scalar>& parameters() const { return step_.parameters(); }  ///< the model's
  const Vector<Scalar>& gradient() const { return step_.gradient(); }      ///< of the last update, after clipping
  Index updates() const { return step_.updates(); }                        ///< made so far
  Index epochs() const { return order_.begun(); }                          ///< begun so far
  Index pairs() const { return pairs_.size(); }                            ///< that it learns from
  /// Sets the parameters; the reference stays. Throws Error for another length.
  void set_parameters(const ConstVectorRef<Scalar>& theta) { step_.set_parameters(theta); }

  template <class Self, class Visit>
  static void visit_state(Self& self, Visit&& visit) {
    visit("step", self.step_);
    visit("order", self.order_);
    visit("tokens", self.tokens_);
    visit("reference.chosen", self.pairs_.reference_chosen);
    visit("reference.rejected", self.pairs_.reference_rejected);
    visit("held_out.reference_chosen", self.held_out_.reference_chosen);
    visit("held_out.reference_rejected", self.held_out_.reference_rejected);
    visit("held_out.figures", self.held_out_figures_);
  }

 private:
  static constexpr auto where = "language::PreferenceTraining";
  using Figures = std::array<double, 7>;  // the loss, and the metrics in the order of PairMetrics

  static void add(Figures& figures, const preference::PairLossValue& found, double share) {
    const auto& m = found.metrics;
    const Figures values{found.value,       m.chosen_reward,     m.rejected_reward, m.accuracy,
                         m.chosen_log_prob, m.rejected_log_prob, m.clipped};
    for (std::size_t k = 0; k < figures.size(); ++k) figures[k] += share * values[k];
  }
  preference::PairLossValue held_out_value() const {
    const Figures& f = held_out_figures_;
    return {f[0], {f[1], f[2], f[3], f[4], f[5], f[6]}};
  }

  Index at_once() const { return options_.micro_batch > 0 ? options_.micro_batch : options_.batch; }
  /// Calls body(begin, count) for the parts of n pairs that are read at once.
  template <class Body>
  void for_parts(Index n, const Body& body) const {
    for (Index begin = 0; begin < n; begin += at_once()) body(begin, std::min(at_once(), n - begin));
  }
  Index tokens_of(Index pair) const {
    const PackedTokens packed = pairs_.sequences.packed();
    return packed.length(2 * pair) + packed.length(2 * pair + 1);
  }
  auto reader() {
    return [this](const TokenSequences& sequences) { return step_.read(sequences); };
  }

  /// Sums over completions of a part that was read.
  template <class Values>
  void sum(const Values& values, Index begin, Index count, Vector<double>& chosen, Vector<double>& rejected) const {
    const PackedTokens packed = read_.packed();
    for (Index k = 0; k < 2 * count; ++k) {
      double total = 0;
      for (Index t = packed.start(k) + packed.prompt(k); t < packed.start(k + 1); ++t)
        total += static_cast<double>(values[t]);
      (k % 2 == 0 ? chosen : rejected)[begin + k / 2] = total;
    }
  }
  /// Log-probabilities of all pairs of a set.
  template <class Read>
  void read_all(const detail::PairSet& set, const Read& log_probabilities, Vector<double>& chosen,
                Vector<double>& rejected) {
    for_parts(set.size(), [&](Index begin, Index count) {
      read_.clear();
      for (Index k = 0; k < 2 * count; ++k) read_.add(set.sequences, 2 * begin + k);
      sum(log_probabilities(read_), begin, count, chosen, rejected);
    });
  }
  /// Log-probabilities of a part of the batch.
  void read(std::span<const Index> rows, Index begin, Index count) {
    read_.clear();
    for (Index k = begin; k < begin + count; ++k)
      for (const Index of_pair : {0, 1}) read_.add(pairs_.sequences, 2 * rows[static_cast<std::size_t>(k)] + of_pair);
    sum(step_.read(read_), begin, count, batch_.chosen, batch_.rejected);
  }
  /// The gradient of the part that was read last: each token weighs what its completion does.
  void backward(Index begin, Index count) {
    const PackedTokens packed = read_.packed();
    auto weights = weights_.reshape(packed.size(), 1);
    for (Index k = 0; k < 2 * count; ++k) {
      const double d = (k % 2 == 0 ? d_chosen_ : d_rejected_).data()[begin + k / 2];
      weights.col(0).segment(packed.start(k), packed.length(k)).setConstant(static_cast<Scalar>(d));
    }
    step_.backward(weights.col(0));
  }

  PreferenceTrainingOptions options_;
  Loss loss_;
  detail::PairSet pairs_, held_out_, batch_;
  data::Epochs order_;
  detail::TrainingStep<Model, Parts...> step_;
  TokenSequences read_;
  Buffer<double> d_chosen_, d_rejected_;
  Buffer<Scalar> weights_;
  Matrix<double> unused_;
  preference::SortScratch<double> scratch_;
  Index tokens_ = 0;
  Figures held_out_figures_ = [] {
    Figures none;
    none.fill(PreferenceLearned::none);
    return none;
  }();
};

}  // namespace mellow::language
