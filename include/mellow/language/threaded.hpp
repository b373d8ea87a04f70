// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cassert>
#include <memory>
#include <utility>
#include <vector>

#include <mellow/core/buffer.hpp>
#include <mellow/core/language_model.hpp>
#include <mellow/core/worker_pool.hpp>

namespace mellow::language {

/// A language model whose batches are split over a fixed number of threads, whole sequences each: the same model, and
/// the same bits for the same number of threads. Every thread has a tape and a gradient of its own; gradients are summed
/// in the threads' order. Copies share the threads and take turns.
///
///     language::Threaded model(language::Transformer(options), 2);
template <LanguageModel Model>
class Threaded {
 public:
  using Scalar = typename Model::Scalar;  ///< of parameters and values

  /// What a backward pass needs: each thread's own.
  class Tape {
    friend class Threaded;
    std::vector<typename Model::Tape> tapes_;
    std::vector<Vector<Scalar>> gradients_;  // of all threads but the first
    std::vector<Index> firsts_;              // sequences of each, and their end
    std::vector<Index> places_, scored_;     // where their tokens and scored tokens begin, and the ends
    Buffer<Scalar> values_, distributions_;
  };

  /// Each thread's own, for a part of the sequences that stays the same.
  class Cache {
    friend class Threaded;
    std::vector<typename Model::Cache> parts_;
    Index sequences_, share_;  // in all; a part's
    std::vector<Index> columns_;
    std::vector<Matrix<Scalar>> of_parts_;
    Buffer<Scalar> logits_;

    auto& part(Index i) { return parts_[static_cast<std::size_t>(i / share_)]; }

   public:
    Index sequences() const { return sequences_; }  ///< how many
    /// Tokens read of sequence i.
    Index length(Index i) const { return parts_[static_cast<std::size_t>(i / share_)].length(i % share_); }
    /// Forgets what sequence i read after its first `length` tokens.
    void truncate(Index i, Index length) { part(i).truncate(i % share_, length); }
    /// Makes sequence `to` a copy of sequence `from`.
    void fork(Index from, Index to) { copy(*this, from, to); }
    /// Makes sequence `to` a copy of sequence `from` of another cache of the model.
    void copy(const Cache& other, Index from, Index to) {
      part(to).copy(other.parts_[static_cast<std::size_t>(from / other.share_)], from % other.share_, to % share_);
    }
  };

  /// `threads` counts the calling one. Throws Error unless it lies between 1 and 1024.
  Threaded(Model model, Index threads) : model_(std::move(model)), pool_(std::make_shared<WorkerPool>(threads)) {}

  const Model& model() const { return model_; }                        ///< what each thread works with
  Index threads() const { return pool_->threads(); }                   ///< the calling one counted
  Index vocabulary() const { return model_.vocabulary(); }             ///< the model's
  Index context() const { return model_.context(); }                   ///< the model's
  Index parameters() const { return model_.parameters(); }             ///< the model's
  std::vector<Segment> segments() const { return model_.segments(); }  ///< the model's
  /// The model's, if it has one.
  auto architecture() const
    requires requires(const Model model) { model.architecture(); }
  {
    return model_.architecture();
  }

  /// The model's, each thread's sequences about as many tokens.
  Eigen::Map<const Vector<Scalar>> log_probabilities(const ConstVectorRef<Scalar>& theta, const PackedTokens& packed,
                                                     Tape& tape) const {
    split(packed, tape);
    auto values = tape.values_.reshape(packed.size(), 1);
    pool_->run([&](Index thread) {
      const auto i = static_cast<std::size_t>(thread);
      const Index first = tape.firsts_[i], count = tape.firsts_[i + 1] - first;
      if (count == 0) return;
      const auto& given = model_.log_probabilities(theta, packed.part(first, count), tape.tapes_[i]);
      const ConstVectorRef<Scalar> own = given;
      values.col(0).segment(tape.places_[i], own.size()) = own;
    });
    return {values.data(), packed.size()};
  }

  /// Adds d (sum_t weights_t log p_t) / d theta into `gradient`.
  void backward(const ConstVectorRef<Scalar>& theta, Tape& tape, const ConstVectorRef<Scalar>& weights,
                VectorRef<Scalar> gradient) const {
    add_gradients(tape, gradient, [&](std::size_t i, auto&& to) {
      model_.backward(theta, tape.tapes_[i], weights.segment(tape.places_[i], tape.places_[i + 1] - tape.places_[i]),
                      to);
    });
  }

  /// vocabulary x scored tokens: log p of each token in their places. The view lives in the tape.
  Eigen::Map<const Matrix<Scalar>> log_distributions(Tape& tape) const {
    auto all = tape.distributions_.reshape(vocabulary(), tape.scored_.back());
    for (std::size_t i = 0; i < tape.tapes_.size(); ++i)
      if (tape.firsts_[i] < tape.firsts_[i + 1])
        all.middleCols(tape.scored_[i], tape.scored_[i + 1] - tape.scored_[i]) =
            model_.log_distributions(tape.tapes_[i]);
    return {all.data(), all.rows(), all.cols()};
  }

  /// Adds d f / d theta into `gradient` for a function f of `log_distributions(tape)`.
  void backward_soft(const ConstVectorRef<Scalar>& theta, Tape& tape, const ConstMatrixRef<Scalar>& d_log_distributions,
                     VectorRef<Scalar> gradient) const {
    add_gradients(tape, gradient, [&](std::size_t i, auto&& to) {
      model_.backward_soft(theta, tape.tapes_[i],
                           d_log_distributions.middleCols(tape.scored_[i], tape.scored_[i + 1] - tape.scored_[i]), to);
    });
  }

  /// An empty cache of n sequences, n / threads for each thread.
  Cache make_cache(Index n) const {
    Cache cache;
    cache.sequences_ = n;
    cache.share_ = std::max<Index>(1, (n + threads() - 1) / threads());
    for (Index i = 0; i < threads(); ++i)
      cache.parts_.push_back(model_.make_cache(std::clamp<Index>(n - i * cache.share_, 0, cache.share_)));
    cache.of_parts_.resize(cache.parts_.size());
    return cache;
  }

  /// Reads the tokens of each sequence after what the cache holds of it; logits of the next token, vocabulary x
  /// sequences that were read of. The view lives in the cache.
  Eigen::Map<const Matrix<Scalar>> next_logits(const ConstVectorRef<Scalar>& theta, const PackedTokens& packed,
                                               Cache& cache) const {
    if (packed.sequences() != cache.sequences())
      throw Error("language::Threaded", fmt::format("the cache holds {} sequences", cache.sequences()),
                  packed.sequences());
    const auto first_of = [&](std::size_t i) {
      return std::min(static_cast<Index>(i) * cache.share_, cache.sequences_);
    };
    cache.columns_.assign(1, 0);  // where each thread's begin
    for (std::size_t i = 0; i < cache.parts_.size(); ++i) {
      Index read = cache.columns_.back();
      for (Index s = first_of(i); s < first_of(i + 1); ++s) read += packed.length(s) > 0;
      cache.columns_.push_back(read);
    }
    auto logits = cache.logits_.reshape(vocabulary(), cache.columns_.back());
    pool_->run([&](Index thread) {
      const auto i = static_cast<std::size_t>(thread);
      const Index columns = cache.columns_[i + 1] - cache.columns_[i];
      if (columns == 0) return;
      logits.middleCols(cache.columns_[i], columns) =
          model_.next_logits(theta, packed.part(first_of(i), first_of(i + 1) - first_of(i)), cache.parts_[i]);
    });
    return {logits.data(), logits.rows(), logits.cols()};
  }

 private:
  /// Gives each thread sequences that follow one another, up to its share of the tokens.
  void split(const PackedTokens& packed, Tape& tape) const {
    require_valid(packed, vocabulary(), 1, context(), "language::Threaded");
    const auto count = static_cast<std::size_t>(threads());
    tape.tapes_.resize(count);
    tape.gradients_.resize(count - 1);
    tape.firsts_.assign(1, 0);
    tape.places_.assign(1, 0);
    tape.scored_.assign(1, 0);
    for (std::size_t i = 1; i <= count; ++i) {
      const Index share = packed.size() * static_cast<Index>(i) / static_cast<Index>(count);
      Index s = tape.firsts_.back(), scored = tape.scored_.back();
      for (; s < packed.sequences() &&
             (i == count || 2 * (packed.start(s) - packed.start(0)) + packed.length(s) <= 2 * share);
           ++s)
        scored += std::max<Index>(0, packed.length(s) - packed.prompt(s));
      tape.firsts_.push_back(s);
      tape.places_.push_back(packed.start(s) - packed.start(0));
      tape.scored_.push_back(scored);
    }
  }

  /// Lets each thread add to a gradient, the first to the given one, and sums them in order.
  template <class Add>
  void add_gradients(Tape& tape, VectorRef<Scalar> gradient, const Add& add) const {
    pool_->run([&](Index thread) {
      const auto i = static_cast<std::size_t>(thread);
      if (i > 0) tape.gradients_[i - 1].setZero(parameters());
      if (tape.firsts_[i] == tape.firsts_[i + 1]) return;
      if (i == 0) add(i, gradient);
      else add(i, tape.gradients_[i - 1]);
    });
    pool_->run([&](Index thread) {
      const Index begin = parameters() * thread / threads(), end = parameters() * (thread + 1) / threads();
      for (const auto& other : tape.gradients_)
        gradient.segment(begin, end - begin) += other.segment(begin, end - begin);
    });
  }

  Model model_;
  std::shared_ptr<WorkerPool> pool_;
};

}  // namespace mellow::language
