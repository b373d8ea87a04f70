// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cmath>
#include <span>
#include <string_view>

#include <mellow/core/buffer.hpp>
#include <mellow/core/error.hpp>
#include <mellow/core/owning_language_model.hpp>
#include <mellow/core/state.hpp>
#include <mellow/language/token_sequences.hpp>

namespace mellow::language::detail {

/// The steps of an update, as `TrainingStep`, of a model that owns what is trained.
template <OwningLanguageModel Model>
class OwningStep {
 public:
  using Scalar = typename Model::Scalar;

  OwningStep(std::string_view where, Model& model, double max_gradient_norm)
      : where_(where), model_(&model), max_gradient_norm_(max_gradient_norm) {}

  /// Throws Error unless all sequences can be learned from.
  void require_fit(const TokenSequences& sequences) const {
    require_valid(sequences.packed(), model_->vocabulary(), 2, model_->context(), where_);
  }
  /// All of a batch is this process's.
  std::span<const Index> share(std::span<const Index> batch) const { return batch; }
  void sum(std::span<double>) const {}

  void begin() { model_->zero_gradient(); }
  /// log p of every token, a view.
  auto read(const TokenSequences& sequences) { return read(*model_, sequences); }
  /// The same by another model, such as a reference.
  template <class Other>
  Eigen::Map<const Vector<Scalar>> read(Other& model, const TokenSequences& sequences) {
    last_ = sequences.packed();
    auto values = values_.reshape(last_.size(), 1);
    const auto& given = model.log_probabilities(last_);  // a value lives as long as this does
    const ConstVectorRef<typename Other::Scalar> found = given;
    if (found.size() != last_.size())
      throw Error(where_, fmt::format("the model must give a log-probability for each of {} tokens", last_.size()),
                  found.size());
    values.col(0) = found.template cast<Scalar>();
    return {values.data(), last_.size()};
  }
  /// vocabulary x scored tokens of what was read last, a view.
  auto distributions() { return distributions(*model_); }
  /// The same by another model, which read it.
  template <class Other>
  Eigen::Map<const Matrix<Scalar>> distributions(Other& model) {
    static_assert(OwnsDistributions<Other>,
                  "mellow: this loss reads whole distributions: the model needs log_distributions(packed) and "
                  "accumulate_soft(packed, d) (OwningLanguageModel in core/owning_language_model.hpp)");
    if constexpr (OwnsDistributions<Other>) {
      const auto& given = model.log_distributions(last_);
      const ConstMatrixRef<typename Other::Scalar> found = given;
      auto values = distributions_.reshape(found.rows(), found.cols());
      values = found.template cast<Scalar>();
      return {values.data(), values.rows(), values.cols()};
    } else return {nullptr, 0, 0};
  }
  void backward(const ConstVectorRef<Scalar>& weights) { model_->accumulate(last_, weights); }
  void backward_soft(const ConstMatrixRef<Scalar>& d) { model_->accumulate_soft(last_, d); }

  /// Moves the parameters; the first figure is the loss. Throws Error where it or the gradient is not finite.
  OwnStep take(std::span<const double> figures) {
    const auto require_finite = [&](double value, const char* name) {
      if (!std::isfinite(value))
        throw Error(where_, fmt::format("the {} of update {} is not finite", name, updates_ + 1), value);
    };
    require_finite(figures.front(), "loss");
    const OwnStep taken = model_->step(max_gradient_norm_);
    require_finite(taken.gradient_norm, "gradient");
    ++updates_;
    return taken;
  }

  Model& model() { return *model_; }
  const Model& model() const { return *model_; }
  /// The model's, or none.
  Vector<Scalar> parameters() const {
    if constexpr (requires(const Model& model) { Vector<Scalar>(model.parameters()); }) return model_->parameters();
    else return {};
  }
  Index updates() const { return updates_; }

  template <class Self, class Visit>
  static void visit_state(Self& self, Visit&& visit) {
    visit("updates", self.updates_);
    if constexpr (Visitable<Model>) visit("model", *self.model_);
    else throw Error(self.where_, "the model has no visit_state, so that a training of it cannot be saved or compared");
  }

 private:
  std::string_view where_;
  Model* model_;
  double max_gradient_norm_;
  PackedTokens last_{};
  Buffer<Scalar> values_, distributions_;
  Index updates_ = 0;
};

}  // namespace mellow::language::detail
