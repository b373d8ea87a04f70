// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <span>
#include <utility>

#include <mellow/core/owning_language_model.hpp>
#include <mellow/data/epochs.hpp>
#include <mellow/language/pair_reader.hpp>
#include <mellow/language/pair_set.hpp>
#include <mellow/language/preference_kinds.hpp>
#include <mellow/language/preference_training_options.hpp>
#include <mellow/language/update_figures.hpp>
#include <mellow/preference/pair_history.hpp>
#include <mellow/preference/pair_objective.hpp>

namespace mellow::language {

/// Trains a language model on preference pairs by any loss of `preference`: an update is a step of gradient descent on
///
///     L(l_w, l_l; r_w, r_l) of a batch of pairs,   l = sum_t log pi(token_t | those before it) of a completion
///
/// whose reference r is, for each pair, computed once. The gradient is sum dL/dl_w grad l_w + dL/dl_l grad l_l: one
/// backward pass of both completions with the loss's derivatives as weights. What kind of loss it is, its concept says:
///
///     PairLoss        takes parts of a batch (`micro_batch`) one after the other
///     BatchLoss       couples rows (AOT) and sees the whole batch: the model reads a part twice, for log-probabilities
///                     first, for the gradient after
///     UnpairedLoss    (KTO) takes a pair's completions as single ones, desirable and undesirable. A baseline z0 comes
///                     from the batch's prompts with the completions of the pair before in the data (cut at the model's
///                     context), which the model reads first
///     TokenLoss       (TDPO, LD-DPO, WPO) sees each token, and gives each a weight of its own; one that uses
///                     divergences takes derivatives in whole distributions, and keeps those of the reference:
///                     vocabulary x all completion tokens
///
/// Parts, in any order: optimiser (`AdamW`), reduction (`OneProcess`; a BatchLoss couples rows of one process, KTO's
/// baseline is that of all).
///
///     language::PreferenceTraining learner(model, theta, pairs, held_out, preference::Dpo{.beta = 0.1}, {.batch = 32},
///                                          nn::AdamW{.learning_rate = 3e-4, .weight_decay = 0});
///     training::fit(learner, {.steps = 500});
///
/// A model that keeps its parameters to itself (`OwningLanguageModel`) is trained by its own optimiser, in one process:
///
///     language::PreferenceTraining learner(policy, pairs, held_out, preference::Dpo{.beta = 0.1}, {.batch = 32});
///
/// Batches come in a random order, each pair once an epoch. A `training::DataLearner`; an update on a batch that is not
/// larger than those before allocates nothing. What happens to the probability of the pairs' completions, `RecordPairs`
/// keeps.
template <class Model, class Loss, class... Parts>
  requires LanguageModel<Model> || OwningLanguageModel<Model>
class PreferenceTraining {
  static_assert(preference::detail::require_objective<Loss>());

 public:
  using Scalar = typename Model::Scalar;  ///< of parameters

  /// Begins at `theta`, which is the reference too. Without held-out pairs it cannot be evaluated. Throws Error for
  /// numbers out of range, for completions that do not fit the model's context or hold what is no token of it, for a
  /// loss that needs a reference without one, and for a single pair where a baseline needs another.
  PreferenceTraining(Model model, const ConstVectorRef<Scalar>& theta, std::span<const TokenizedPair> pairs,
                     std::span<const TokenizedPair> held_out, Loss loss, PreferenceTrainingOptions options = {},
                     const Parts&... parts)
    requires LanguageModel<Model>
      : PreferenceTraining(Step{where, std::move(model), theta, (options.validate(), options.batch),
                                options.max_gradient_norm, parts...},
                           pairs, held_out, std::move(loss), options) {
    if (options.has_reference) set_reference(step().model(), theta);
  }
  /// Of a model that keeps its parameters to itself, which must outlive the training. It is the reference too, as it is
  /// now.
  PreferenceTraining(Model& model, std::span<const TokenizedPair> pairs, std::span<const TokenizedPair> held_out,
                     Loss loss, PreferenceTrainingOptions options = {})
    requires OwningLanguageModel<Model>
      : PreferenceTraining(Step{where, model, options.max_gradient_norm}, pairs, held_out, std::move(loss), options) {
    if (options.has_reference) set_reference(model);
  }

  /// Takes another reference: any model of the same tokens. Throws Error where training has no reference.
  template <LanguageModel Reference>
  void set_reference(const Reference& model, const ConstVectorRef<typename Reference::Scalar>& theta) {
    require_reference(model);
    typename Reference::Tape tape;
    objective_.set_reference(
        reader_, pairs_, held_out_,
        [&](const TokenSequences& sequences) { return model.log_probabilities(theta, sequences.packed(), tape); },
        [&] { return model.log_distributions(tape); }, model.vocabulary());
  }
  /// The same of a model that keeps its parameters to itself.
  template <OwningLanguageModel Reference>
  void set_reference(Reference& model)
    requires OwningLanguageModel<Model>
  {
    constexpr bool is_enough = OwnsDistributions<Reference> || !preference::uses_divergences<Loss>;
    static_assert(is_enough,
                  "mellow: a loss that uses divergences needs log_distributions(packed) and accumulate_soft(packed, d) "
                  "of model and reference (OwningLanguageModel in core/owning_language_model.hpp)");
    require_reference(model);
    if constexpr (is_enough)  // else one error is said, not what follows from it
      objective_.set_reference(
          reader_, pairs_, held_out_, [&](const TokenSequences& sequences) { return step().read(model, sequences); },
          [&] {
            if constexpr (OwnsDistributions<Reference>) return step().distributions(model);
          },
          model.vocabulary());
  }

  /// One update, on a batch that it draws. Throws Error where loss or gradient are not finite.
  PreferenceLearned update(Rng& rng) {
    const auto whole = order_.next(options_.batch, rng), own = step().share(whole);
    for (const Index i : whole) tokens_ += pairs_.tokens(i);
    batch_.assign(pairs_, own);
    detail::PairFigures figures{};
    step().begin();
    const double share = 1.0 / static_cast<double>(whole.size());
    objective_.add_gradient(reader_, loss_, pairs_, own, batch_, share, figures);
    auto sums = detail::update_figures(figures, loss_, batch_, std::ssize(own), share);
    const auto taken = step().take(sums);
    const auto found = detail::named(sums);
    return {.loss = found.value,
            .gradient_norm = taken.gradient_norm,
            .learning_rate = taken.learning_rate,
            .tokens = static_cast<double>(tokens_),
            .batch = found.metrics,
            .pair_mass = options_.has_reference ? sums[7] : PreferenceLearned::none,
            .residual = sums[8],
            .held_out = detail::named(held_out_figures_)};
  }

  /// The score of the held-out pairs, as the options say. Throws Error where there are none.
  double evaluate() {
    require(held_out_.size() > 0, where, "an evaluation needs a held-out pair", held_out_.size());
    held_out_figures_ = objective_.evaluate(reader_, loss_, held_out_);
    const auto found = detail::named(held_out_figures_);
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
    const auto now = PreferenceLearned{.held_out = detail::named(held_out_figures_)}.metrics();
    std::copy(now.end() - 3, now.end(), metrics.end() - 3);
  }

  /// Adds the log-probabilities of all pairs, those that it learns from or those that are held out, to a history, for
  /// `preference::diagnose`. Throws Error as `PairHistory::add` does, and where there is no such pair.
  void record(Index step, preference::PairHistory& history, RecordedPairs which = RecordedPairs::Training) {
    detail::PairSet& set = which == RecordedPairs::Training ? pairs_ : held_out_;
    reader_.read_all(set);
    const auto all = set.batch(0, set.size(), options_.has_reference);
    if constexpr (preference::PairLoss<Loss>) history.add(step, all, loss_);
    else history.add(step, all);
  }

  const Model& model() const { return step().model(); }                  ///< its shapes
  const Loss& loss() const { return loss_; }                             ///< as given
  const PreferenceTrainingOptions& options() const { return options_; }  ///< as given
  decltype(auto) parameters() const { return step().parameters(); }      ///< the model's; none of one that owns them
  /// Of the last update, after clipping.
  const Vector<Scalar>& gradient() const
    requires LanguageModel<Model>
  {
    return step().gradient();
  }
  Index updates() const { return step().updates(); }  ///< made so far
  Index epochs() const { return order_.begun(); }     ///< begun so far
  Index tokens() const { return tokens_; }            ///< read so far, prompts included
  Index pairs() const { return pairs_.size(); }       ///< that it learns from
  /// What the optimiser keeps.
  auto& optimizer_state()
    requires LanguageModel<Model>
  {
    return step().optimizer_state();
  }
  /// Sets the parameters; the reference stays. Throws Error for another length.
  void set_parameters(const ConstVectorRef<Scalar>& theta)
    requires LanguageModel<Model>
  {
    step().set_parameters(theta);
  }

  template <class Self, class Visit>
  static void visit_state(Self& self, Visit&& visit) {
    visit("step", self.reader_.step());
    visit("order", self.order_);
    visit("tokens", self.tokens_);
    visit("reference.chosen", self.pairs_.reference_chosen);
    visit("reference.rejected", self.pairs_.reference_rejected);
    visit("held_out.reference_chosen", self.held_out_.reference_chosen);
    visit("held_out.reference_rejected", self.held_out_.reference_rejected);
    visit("held_out.figures", self.held_out_figures_);
    visit("objective", self.objective_);
  }

 private:
  using Step = typename decltype(detail::step_of<Model, Parts...>())::type;
  using Objective = typename decltype(detail::objective_of<Scalar, Loss>())::type;
  static constexpr auto where = "language::PreferenceTraining";

  PreferenceTraining(Step step, std::span<const TokenizedPair> pairs, std::span<const TokenizedPair> held_out,
                     Loss loss, const PreferenceTrainingOptions& options)
      : options_((options.validate(), options)),
        loss_(std::move(loss)),
        pairs_(pairs),
        held_out_(held_out),
        order_(pairs_.size()),
        reader_(std::move(step), options.micro_batch > 0 ? options.micro_batch : options.batch),
        objective_((require_fit(), pairs), held_out, reader_.step().model().context(), options.has_reference) {
    preference::detail::validate_loss(loss_);
    batch_.resize(options.batch);
  }

  Step& step() { return reader_.step(); }
  const Step& step() const { return reader_.step(); }

  template <class Reference>
  void require_reference(const Reference& model) const {
    require(options_.has_reference, where, "has_reference must be true for a reference", options_.has_reference);
    require(model.vocabulary() == step().model().vocabulary(), where, "the reference must have the model's vocabulary",
            model.vocabulary());
  }
  void require_fit() const {
    if (options_.batch > pairs_.size())
      throw Error(where, fmt::format("batch must be at most the {} pairs", pairs_.size()), options_.batch);
    for (const auto* set : {&pairs_, &held_out_}) step().require_fit(set->sequences);
  }

  PreferenceTrainingOptions options_;
  Loss loss_;
  detail::PairSet pairs_, held_out_, batch_;
  data::Epochs order_;
  detail::PairReader<Step> reader_;
  Objective objective_;
  Index tokens_ = 0;
  detail::PairFigures held_out_figures_ = [] {
    detail::PairFigures none;
    none.fill(PreferenceLearned::none);
    return none;
  }();
};

}  // namespace mellow::language
