// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cmath>
#include <span>
#include <string_view>
#include <utility>

#include <mellow/core/error.hpp>
#include <mellow/core/language_model.hpp>
#include <mellow/core/parts.hpp>
#include <mellow/language/reduction.hpp>
#include <mellow/language/token_sequences.hpp>
#include <mellow/nn/adamw.hpp>
#include <mellow/nn/clip.hpp>
#include <mellow/nn/parts.hpp>

namespace mellow::language::detail {

/// The types of a training's parts, defaults in place, and every check of them.
template <class Scalar, class... Parts>
struct TrainingTypes {
  using GivenOptimizer = PartFor<roles::Optimizer, nn::AdamW, Parts...>;
  static constexpr bool optimizer_fits = nn::OptimizerPart<GivenOptimizer, Scalar>;
  using Optimizer = OrDefault<optimizer_fits, GivenOptimizer, nn::AdamW>;

  using GivenReduction = PartFor<roles::Reduction, OneProcess, Parts...>;
  static constexpr bool reduction_fits = ReductionPart<GivenReduction, Scalar>;
  using Reduction = OrDefault<reduction_fits, GivenReduction, OneProcess>;

  /// Says in words what is wrong with the parts.
  static consteval bool check() {
    CheckRoles<roles::Optimizer, roles::Reduction>::template of<Parts...>();
    static_assert(optimizer_fits,
                  "mellow: the part for roles::Optimizer does not fit: it needs State<Scalar> with "
                  "reset(nn::ParameterLayout), step(state, theta, gradient) const and learning_rate");
    static_assert(reduction_fits,
                  "mellow: the part for roles::Reduction does not fit: it needs processes() const, process() const and "
                  "sum(gradient, figures) const (ReductionPart in language/reduction.hpp)");
    return true;
  }
};

/// What supervised and preference training share: parameters, their optimiser, and the steps of an update.
///
///     step.begin();
///     step.read(sequences); step.backward(weights);    // for each part of the batch
///     step.take(figures);                              // sums over processes, clips, moves the parameters
template <LanguageModel Model, class... Parts>
class TrainingStep {
  using Types = TrainingTypes<typename Model::Scalar, Parts...>;
  static_assert(Types::check());

 public:
  using Scalar = typename Model::Scalar;
  using Optimizer = typename Types::Optimizer;

  struct Taken {
    double gradient_norm, learning_rate;
  };

  TrainingStep(std::string_view where, Model model, const ConstVectorRef<Scalar>& theta, Index batch,
               double max_gradient_norm, const Parts&... parts)
      : where_(where),
        model_(std::move(model)),
        optimizer_(take_part<roles::Optimizer, Optimizer>(parts...)),
        reduction_(take_part<roles::Reduction, typename Types::Reduction>(parts...)),
        max_gradient_norm_(max_gradient_norm) {
    (validate_part(parts), ...);
    set_parameters(theta);
    if (!theta_.allFinite()) throw Error(where_, "the parameters must be finite", fmt::format("{}", theta_.sum()));
    gradient_ = Vector<Scalar>::Zero(theta_.size());
    state_.reset(model_);
    require(max_gradient_norm > 0, where_, "max_gradient_norm must be positive", max_gradient_norm);
    require(reduction_.processes() <= batch, where_,
            fmt::format("batch must have a part for each of {} processes", reduction_.processes()), batch);
  }

  /// Throws Error unless all sequences can be learned from.
  void require_fit(const TokenSequences& sequences) const {
    require_valid(sequences.packed(), model_.vocabulary(), 2, model_.context(), where_);
  }

  /// What this process does of a batch.
  std::span<const Index> share(std::span<const Index> batch) const {
    const Index n = std::ssize(batch), all = reduction_.processes(), own = reduction_.process();
    const Index begin = own * n / all, end = (own + 1) * n / all;
    return batch.subspan(static_cast<std::size_t>(begin), static_cast<std::size_t>(end - begin));
  }

  void begin() { gradient_.setZero(); }

  /// log p of every token, a view.
  auto read(const TokenSequences& sequences) { return model_.log_probabilities(theta_, sequences.packed(), tape_); }
  /// Adds the gradient of sum_t weights_t log p_t of what was read last.
  void backward(const ConstVectorRef<Scalar>& weights) { model_.backward(theta_, tape_, weights, gradient_); }

  /// vocabulary x scored tokens of what was read last: log p, a view.
  auto distributions() { return model_.log_distributions(tape_); }
  /// Adds the gradient of a function of `distributions()`, from its derivatives by them.
  void backward_soft(const ConstMatrixRef<Scalar>& d) { model_.backward_soft(theta_, tape_, d, gradient_); }
  /// `figures` become their sums over the processes.
  void sum(std::span<double> figures) const {
    Vector<Scalar> no_gradient;
    reduction_.sum(VectorRef<Scalar>(no_gradient), figures);
  }

  /// `figures` become their sums over the processes; the first is the loss. Throws Error where it or the gradient is not
  /// finite.
  Taken take(std::span<double> figures) {
    reduction_.sum(gradient_, figures);
    const auto require_finite = [&](double value, const char* name) {
      if (!std::isfinite(value))
        throw Error(where_, fmt::format("the {} of update {} is not finite", name, updates_ + 1), value);
    };
    require_finite(figures.front(), "loss");
    const double norm = nn::clip_norm<Scalar>(gradient_, static_cast<Scalar>(max_gradient_norm_));
    require_finite(norm, "gradient");
    optimizer_.step(state_, theta_, gradient_);
    return {norm, optimizer_.learning_rate(updates_++)};
  }

  const Model& model() const { return model_; }
  const Vector<Scalar>& parameters() const { return theta_; }
  const Vector<Scalar>& gradient() const { return gradient_; }
  Index updates() const { return updates_; }
  typename Optimizer::template State<Scalar>& optimizer_state() { return state_; }
  void set_parameters(const ConstVectorRef<Scalar>& theta) {
    require(theta.size() == model_.parameters(), where_,
            fmt::format("the model has {} parameters", model_.parameters()), theta.size());
    theta_ = theta;
  }

  template <class Self, class Visit>
  static void visit_state(Self& self, Visit&& visit) {
    visit("parameters", self.theta_);
    visit("optimizer", self.state_);
    visit("updates", self.updates_);
  }

 private:
  std::string_view where_;
  Model model_;
  Optimizer optimizer_;
  typename Types::Reduction reduction_;
  double max_gradient_norm_;
  Vector<Scalar> theta_, gradient_;
  typename Optimizer::template State<Scalar> state_;
  typename Model::Tape tape_;
  Index updates_ = 0;
};

}  // namespace mellow::language::detail
