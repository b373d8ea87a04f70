// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <utility>
#include <vector>

#include <mellow/core/language_model.hpp>
#include <mellow/nn/low_rank.hpp>

namespace mellow::language {

/// A language model with frozen parameters plus low-rank updates (LoRA, Hu et al. 2022): as a LanguageModel, its
/// parameter vector is the adapter.
///
///     language::Lora lora(model, theta, {.rank = 4, .names = {"attn.c_attn", "attn.c_proj"}});
///     Vector<> adapter = lora.initialize(rng);                     // changes nothing yet
///     Vector<> merged = lora.merged(adapter);                      // the model's parameters with the updates
///
/// A pass runs the model at the merged vector, which a tape or cache holds, and takes the gradient by all parameters to
/// the adapter's: what is saved is the optimiser's work and memory, and what is stored of a tuned model. It takes any
/// model, and costs rank / tokens of a pass more.
template <LanguageModel Model>
class Lora {
 public:
  using Scalar = typename Model::Scalar;  ///< of parameters and values

  /// What a backward pass needs.
  class Tape {
    friend class Lora;
    typename Model::Tape tape_;
    Vector<Scalar> merged_, d_merged_;
    Buffer<Scalar> scratch_;
  };

  /// The model's, and the parameters that it belongs to.
  class Cache : public Model::Cache {
    friend class Lora;
    explicit Cache(typename Model::Cache&& cache) : Model::Cache(std::move(cache)) {}
    Vector<Scalar> merged_;
    Buffer<Scalar> scratch_;

   public:
    /// Makes sequence `to` a copy of sequence `from` of another cache, which must belong to the same adapter.
    void copy(const Cache& other, Index from, Index to) {
      Model::Cache::copy(other, from, to);
      merged_ = other.merged_;
    }
  };

  /// Throws Error for a base that is not the model's size and options out of range.
  Lora(Model model, Vector<Scalar> base, const nn::LowRankOptions& options = {})
      : model_(std::move(model)), low_rank_(model_.segments(), options) {
    require(base.size() == model_.parameters(), "language::Lora",
            fmt::format("the model has {} parameters", model_.parameters()), base.size());
    base_ = std::make_shared<const Vector<Scalar>>(std::move(base));
  }

  const Model& model() const { return model_; }                           ///< what is adapted
  const Vector<Scalar>& base() const { return *base_; }                   ///< its frozen parameters
  Index vocabulary() const { return model_.vocabulary(); }                ///< the model's
  Index context() const { return model_.context(); }                      ///< the model's
  Index parameters() const { return low_rank_.parameters(); }             ///< length of the adapter
  std::vector<Segment> segments() const { return low_rank_.segments(); }  ///< its named pieces
  /// The model's, if it has one.
  auto architecture() const
    requires requires(const Model model) { model.architecture(); }
  {
    return model_.architecture();
  }

  /// An adapter that changes nothing yet.
  Vector<Scalar> initialize(Rng& rng) const { return low_rank_.initialize<Scalar>(rng); }

  /// The model's parameters with the updates.
  Vector<Scalar> merged(const ConstVectorRef<Scalar>& adapter) const {
    Vector<Scalar> theta;
    Buffer<Scalar> scratch;
    merge(adapter, theta, scratch);
    return theta;
  }

  /// The model's at the merged parameters.
  auto log_probabilities(const ConstVectorRef<Scalar>& adapter, const PackedTokens& packed, Tape& tape) const {
    merge(adapter, tape.merged_, tape.scratch_);
    return model_.log_probabilities(tape.merged_, packed, tape.tape_);
  }
  /// Adds d (sum_t weights_t log p_t) / d adapter into `gradient`.
  void backward(const ConstVectorRef<Scalar>& adapter, Tape& tape, const ConstVectorRef<Scalar>& weights,
                VectorRef<Scalar> gradient) const {
    tape.d_merged_.setZero(model_.parameters());
    model_.backward(tape.merged_, tape.tape_, weights, tape.d_merged_);
    low_rank_.pull_back<Scalar>(adapter, tape.d_merged_, gradient, tape.scratch_);
  }
  /// vocabulary x scored tokens: the model's.
  auto log_distributions(Tape& tape) const { return model_.log_distributions(tape.tape_); }
  /// Adds d f / d adapter into `gradient` for a function f of `log_distributions(tape)`.
  void backward_soft(const ConstVectorRef<Scalar>& adapter, Tape& tape,
                     const ConstMatrixRef<Scalar>& d_log_distributions, VectorRef<Scalar> gradient) const {
    tape.d_merged_.setZero(model_.parameters());
    model_.backward_soft(tape.merged_, tape.tape_, d_log_distributions, tape.d_merged_);
    low_rank_.pull_back<Scalar>(adapter, tape.d_merged_, gradient, tape.scratch_);
  }

  /// An empty cache of n sequences.
  Cache make_cache(Index n) const { return Cache(model_.make_cache(n)); }
  /// The model's at the merged parameters, which are made when the cache is empty: what it holds belongs to them.
  auto next_logits(const ConstVectorRef<Scalar>& adapter, const PackedTokens& packed, Cache& cache) const {
    bool empty = true;
    for (Index i = 0; i < cache.sequences(); ++i) empty = empty && cache.length(i) == 0;
    if (empty) merge(adapter, cache.merged_, cache.scratch_);
    return model_.next_logits(cache.merged_, packed, static_cast<typename Model::Cache&>(cache));
  }

 private:
  void merge(const ConstVectorRef<Scalar>& adapter, Vector<Scalar>& theta, Buffer<Scalar>& scratch) const {
    theta = *base_;
    low_rank_.merge<Scalar>(adapter, theta, scratch);
  }

  Model model_;
  nn::LowRank low_rank_;
  std::shared_ptr<const Vector<Scalar>> base_;  // shared by copies
};

}  // namespace mellow::language
