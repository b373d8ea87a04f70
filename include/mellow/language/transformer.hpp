// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cassert>
#include <map>
#include <string>
#include <vector>

#include <mellow/core/buffer.hpp>
#include <mellow/core/language_model.hpp>
#include <mellow/core/network.hpp>
#include <mellow/core/types.hpp>
#include <mellow/language/reading.hpp>
#include <mellow/language/softmax_head.hpp>
#include <mellow/language/transformer_block.hpp>
#include <mellow/language/transformer_cache.hpp>
#include <mellow/language/transformer_options.hpp>
#include <mellow/language/transformer_shapes.hpp>

namespace mellow::language {

/// A decoder-only transformer with normalisation before each part: for every token, at its position,
///
///     h = embedding of token (+ position),    h += Attention(norm(h)), h += FeedForward(norm(h)) of each layer,
///     p(next token) = softmax(W norm(h))
///
///     language::Transformer model;                                           // GPT's shape, 107,392 parameters
///     language::Transformer<float, language::Llama> llama({.width = 96, .heads = 6, .key_value_heads = 2});
///
/// `Shape` says what its parts are (see transformer_shapes.hpp). The parameter vector holds the tensors in the order of
/// `segments()`, each as PyTorch lays it out. A LanguageModel.
template <class Scalar_ = float, class Shape = Gpt>
class Transformer {
  using Block = detail::Block<Scalar_, Shape>;
  using Head = detail::SoftmaxHead<Scalar_>;

 public:
  using Scalar = Scalar_;                           ///< of parameters and values
  using Values = Eigen::Map<const Vector<Scalar>>;  ///< what `log_probabilities` gives: a view
  using Distributions = typename Head::View;        ///< what `log_distributions` gives: a view

  /// What a backward pass needs, and its scratch memory.
  class Tape {
    friend class Transformer;
    detail::Reading reading_;
    Buffer<Scalar> stream_, read_out_, d_stream_, d_normalized_, d_read_out_, weights_, values_;
    std::vector<typename Block::Tape> blocks_;
    typename Block::Workspace workspace_;
    NormTape<Scalar> final_norm_;
    typename Head::Tape head_;
  };

  using Cache = TransformerCache<Scalar, Shape>;  ///< keys, values, and the memory of a pass

  /// Throws Error for sizes out of range.
  explicit Transformer(const TransformerOptions& options = {});

  Index vocabulary() const { return options_.vocabulary; }        ///< how many tokens there are
  Index context() const { return options_.context; }              ///< most tokens of a sequence
  Index parameters() const { return parameters_; }                ///< length of theta
  const TransformerOptions& options() const { return options_; }  ///< its sizes

  /// The named pieces of theta.
  std::vector<Segment> segments() const;
  /// What the shapes of the segments do not tell, by name.
  std::map<std::string, std::string> architecture() const;

  /// log p(token | those before it in its sequence) of every token, 0 for a prompt's. The view lives in the tape.
  /// Throws Error for tokens that are not of the vocabulary and sequences that are empty or longer than the context.
  Values log_probabilities(const ConstVectorRef<Scalar>& theta, const PackedTokens& packed, Tape& tape) const;

  /// Adds d (sum_t weights_t log p_t) / d theta into `gradient`. Weights of 0 cost nothing at the head.
  void backward(const ConstVectorRef<Scalar>& theta, Tape& tape, const ConstVectorRef<Scalar>& weights,
                VectorRef<Scalar> gradient) const;

  /// vocabulary x scored tokens: log p of each token in their places. The view lives in the tape.
  Distributions log_distributions(Tape& tape) const {
    return head_.log_probabilities(tape.head_, tape.reading_.scored_columns());
  }

  /// Adds d f / d theta into `gradient` for a function f of `log_distributions(tape)`; `d_log_distributions` is d f by
  /// these, as if each were free.
  void backward_soft(const ConstVectorRef<Scalar>& theta, Tape& tape, const ConstMatrixRef<Scalar>& d_log_distributions,
                     VectorRef<Scalar> gradient) const;

  /// An empty cache of n sequences.
  Cache make_cache(Index n) const {
    return Cache(n, options_.context, options_.layers, blocks_.attention().key_rows());
  }

  /// Reads the tokens of each sequence after what the cache holds of it. Gives the logits of the next token, vocabulary
  /// x sequences that were read of; the view lives in the cache. Throws Error where a sequence outgrows the context.
  Distributions next_logits(const ConstVectorRef<Scalar>& theta, const PackedTokens& packed, Cache& cache) const;

 private:
  using Positions = typename Shape::template Positions<Scalar_>;
  /// Whether positions turn queries and keys.
  static constexpr bool turns =
      requires(const Positions positions, Scalar_* columns) { positions.turn(columns, 1, 0); };
  using Columns = typename Block::Columns;
  using ConstColumns = typename Block::ConstColumns;

  /// Columns that a block takes through all its parts while they are in the processor's cache: 128 KiB of the stream.
  Index piece() const {
    return std::max<Index>(64, (Index{1} << 17) / (static_cast<Index>(sizeof(Scalar)) * options_.width));
  }

  void embed(const Scalar* theta, Token token, Index position, Scalar* column) const;
  void turn(Scalar* projections, Index position) const;
  void backward_below_head(const Scalar* theta, Tape& tape, Scalar* gradient) const;

  Index block_at(std::size_t layer) const {
    return vocabulary() * options_.width + positions_.parameters() + static_cast<Index>(layer) * blocks_.parameters();
  }
  Index final_norm_at() const { return block_at(static_cast<std::size_t>(options_.layers)); }
  Index head_at() const { return Shape::tied_head ? 0 : final_norm_at() + final_norm_.parameters(); }

  TransformerOptions options_;
  Positions positions_;
  Block blocks_;  // all are alike
  typename Shape::Norm final_norm_;
  Head head_;
  Index parameters_;
};

template <class Scalar, class Shape>
Transformer<Scalar, Shape>::Transformer(const TransformerOptions& options)
    : options_((options.validate(), options)),
      positions_(options),
      blocks_(options),
      final_norm_{options.width, options.norm_epsilon},
      head_(options.vocabulary, options.width),
      parameters_(final_norm_at() + final_norm_.parameters() + (Shape::tied_head ? 0 : vocabulary() * options.width)) {}

template <class Scalar, class Shape>
std::vector<Segment> Transformer<Scalar, Shape>::segments() const {
  using enum Segment::Kind;
  std::vector<Segment> all{{Shape::embedding, {vocabulary(), options_.width}, 0, 1, Weight}};
  positions_.append_segments(Shape::positions, vocabulary() * options_.width, all);
  for (std::size_t l = 0; l < static_cast<std::size_t>(options_.layers); ++l)
    blocks_.append_segments(Shape::block + std::to_string(l) + ".", block_at(l), all);
  final_norm_.append_segments(Shape::final_norm, final_norm_at(), all);
  if constexpr (!Shape::tied_head)
    all.push_back({Shape::head, {vocabulary(), options_.width}, head_at(), options_.width, Weight});
  return all;
}

template <class Scalar, class Shape>
std::map<std::string, std::string> Transformer<Scalar, Shape>::architecture() const {
  std::map<std::string, std::string> texts{{"heads", fmt::format("{}", options_.heads)},
                                           {"norm_epsilon", fmt::format("{}", options_.norm_epsilon)}};
  if constexpr (turns) texts["rotary_base"] = fmt::format("{}", options_.rotary_base);
  return texts;
}

template <class Scalar, class Shape>
auto Transformer<Scalar, Shape>::log_probabilities(const ConstVectorRef<Scalar>& theta, const PackedTokens& packed,
                                                   Tape& tape) const -> Values {
  assert(theta.size() == parameters_);
  require_valid(packed, vocabulary(), 1, context(), "language::Transformer");
  const detail::Reading& reading = tape.reading_;
  tape.reading_.assign(packed);
  tape.blocks_.resize(static_cast<std::size_t>(options_.layers));
  const Index n = reading.columns(), scored = reading.scored_columns();
  const Index width = options_.width;
  Scalar* const stream = tape.stream_.reshape(width, n).data();
  for (std::size_t s = 0; s < reading.sequences(); ++s)
    for (Index i = reading.starts[s]; i < reading.starts[s + 1]; ++i)
      embed(theta.data(), reading.tokens[static_cast<std::size_t>(i)], i - reading.starts[s], stream + i * width);

  for (std::size_t l = 0; l < tape.blocks_.size(); ++l) {
    blocks_.resize(tape.blocks_[l], n);
    detail::for_groups(reading.starts, piece(), [&](std::size_t first, std::size_t last, Index begin, Index count) {
      const auto attend = [&](Columns projections, Columns attended, Scalar* log_sums) {
        const Attention& attention = blocks_.attention();
        for (std::size_t s = first; s < last; ++s) {
          const Index at = reading.starts[s] - begin, length = reading.starts[s + 1] - reading.starts[s];
          const Columns own = projections.from(0, at);
          for (Index i = 0; i < length; ++i) turn(own.from(0, i).data, i);
          const ConstColumns queries{own.data, own.stride}, keys = queries.from(attention.query_rows(), 0);
          attention.template forward<Scalar>(queries, length, keys, keys.from(attention.key_rows(), 0),
                                             attended.from(0, at), log_sums + at * attention.heads(),
                                             tape.workspace_.attention);
        }
      };
      blocks_.template forward<true>(theta.data() + block_at(l), begin, count, tape.blocks_[l], stream + begin * width,
                                     attend);
    });
  }

  tape.final_norm_.resize(width, scored);
  Scalar* const read_out = tape.read_out_.reshape(width, scored).data();
  for (std::size_t i = 0; i < reading.scored.size(); ++i)
    std::copy_n(stream + reading.scored[i] * width, width, read_out + static_cast<Index>(i) * width);
  head_.forward(theta.data() + head_at(),
                final_norm_.forward(theta.data() + final_norm_at(), read_out, 0, scored, tape.final_norm_), scored,
                tape.head_);
  auto values = tape.values_.reshape(packed.size(), 1);
  values.setZero();
  const Distributions log_p = log_distributions(tape);
  for (std::size_t i = 0; i < reading.scored.size(); ++i)
    values(reading.places[i]) = log_p(reading.targets[i], static_cast<Index>(i));
  return {values.data(), packed.size()};
}

template <class Scalar, class Shape>
void Transformer<Scalar, Shape>::embed(const Scalar* theta, Token token, Index position, Scalar* column) const {
  std::copy_n(theta + token * options_.width, options_.width, column);
  positions_.embed(theta + vocabulary() * options_.width, position, column);
}

/// Turns a query and a key where positions ask for it.
template <class Scalar, class Shape>
void Transformer<Scalar, Shape>::turn(Scalar* projections, Index position) const {
  if constexpr (turns)
    positions_.turn(projections, blocks_.attention().heads() + blocks_.attention().key_heads(), position);
}

template <class Scalar, class Shape>
void Transformer<Scalar, Shape>::backward(const ConstVectorRef<Scalar>& theta, Tape& tape,
                                          const ConstVectorRef<Scalar>& weights, VectorRef<Scalar> gradient) const {
  const auto scored = tape.reading_.scored_columns();
  assert(theta.size() == parameters_ && gradient.size() == parameters_);
  auto of_scored = tape.weights_.reshape(scored, 1);
  for (Index i = 0; i < scored; ++i) of_scored(i) = weights[tape.reading_.places[static_cast<std::size_t>(i)]];
  auto d_normalized = tape.d_normalized_.reshape(options_.width, scored);
  d_normalized.setZero();
  head_.backward(theta.data() + head_at(), tape.final_norm_.value.data(), scored, tape.reading_.targets,
                 of_scored.data(), tape.head_, gradient.data() + head_at(), d_normalized.data());
  backward_below_head(theta.data(), tape, gradient.data());
}

template <class Scalar, class Shape>
void Transformer<Scalar, Shape>::backward_soft(const ConstVectorRef<Scalar>& theta, Tape& tape,
                                               const ConstMatrixRef<Scalar>& d_log_distributions,
                                               VectorRef<Scalar> gradient) const {
  const auto scored = tape.reading_.scored_columns();
  assert(theta.size() == parameters_ && gradient.size() == parameters_ && d_log_distributions.rows() == vocabulary() &&
         d_log_distributions.cols() == scored);
  auto d_normalized = tape.d_normalized_.reshape(options_.width, scored);
  d_normalized.setZero();
  head_.backward(theta.data() + head_at(), tape.final_norm_.value.data(), scored, d_log_distributions, tape.head_,
                 gradient.data() + head_at(), d_normalized.data());
  backward_below_head(theta.data(), tape, gradient.data());
}

/// From the derivatives by the final normalisation's values, in the tape.
template <class Scalar, class Shape>
void Transformer<Scalar, Shape>::backward_below_head(const Scalar* theta, Tape& tape, Scalar* gradient) const {
  const detail::Reading& reading = tape.reading_;
  const Index n = reading.columns(), scored = reading.scored_columns();
  const Index width = options_.width;
  auto d_read_out = tape.d_read_out_.reshape(width, scored);
  d_read_out.setZero();
  final_norm_.backward(theta + final_norm_at(), tape.d_normalized_.data(), 0, scored, tape.final_norm_,
                       gradient + final_norm_at(), d_read_out.data());
  auto d_stream = tape.d_stream_.reshape(width, n);
  d_stream.setZero();
  for (Index i = 0; i < scored; ++i) d_stream.col(reading.scored[static_cast<std::size_t>(i)]) = d_read_out.col(i);

  for (std::size_t l = tape.blocks_.size(); l-- > 0;)
    detail::for_groups(reading.starts, piece(), [&](std::size_t first, std::size_t last, Index begin, Index count) {
      const auto attend_back = [&](ConstColumns projections, const Scalar* log_sums, ConstColumns d_attended,
                                   Columns d_projections) {
        const Attention& attention = blocks_.attention();
        for (std::size_t s = first; s < last; ++s) {
          const Index at = reading.starts[s] - begin, length = reading.starts[s + 1] - reading.starts[s];
          const ConstColumns own = projections.from(0, at);
          const Columns d_own = d_projections.from(0, at);
          attention.template backward<Scalar>(own, length, own.from(attention.query_rows(), 0),
                                              log_sums + at * attention.heads(), d_attended.from(0, at), d_own,
                                              d_own.from(attention.query_rows(), 0), tape.workspace_.attention);
          if constexpr (turns)
            for (Index i = 0; i < length; ++i)
              positions_.turn_back(d_own.from(0, i).data, attention.heads() + attention.key_heads(), i);
        }
      };
      blocks_.backward(theta + block_at(l), begin, count, tape.blocks_[l], tape.workspace_, gradient + block_at(l),
                       d_stream.data() + begin * width, attend_back);
    });

  for (std::size_t s = 0; s < reading.sequences(); ++s)
    for (Index i = reading.starts[s]; i < reading.starts[s + 1]; ++i) {
      Eigen::Map<Vector<Scalar>>(gradient + reading.tokens[static_cast<std::size_t>(i)] * width, width) +=
          d_stream.col(i);
      positions_.embed_backward(i - reading.starts[s], d_stream.col(i).data(), gradient + vocabulary() * width);
    }
}

template <class Scalar, class Shape>
auto Transformer<Scalar, Shape>::next_logits(const ConstVectorRef<Scalar>& theta, const PackedTokens& packed,
                                             Cache& cache) const -> Distributions {
  assert(theta.size() == parameters_);
  if (packed.sequences() != cache.sequences())
    throw Error("language::Transformer", fmt::format("the cache holds {} sequences", cache.sequences()),
                packed.sequences());
  require_valid(packed, vocabulary(), 0, context(), "language::Transformer");
  const Index read = cache.embed(packed, context(), options_.width, [&](Token token, Index position, Scalar* column) {
    embed(theta.data(), token, position, column);
  });
  cache.pass(
      packed, blocks_, options_.layers, piece(), [&](std::size_t layer) { return theta.data() + block_at(layer); },
      [&](Scalar* projections, Index position) { turn(projections, position); });
  const Scalar* const last = cache.last_columns(packed, read);
  cache.final_norm_.resize(options_.width, read);
  const Scalar* const normalized =
      final_norm_.forward(theta.data() + final_norm_at(), last, 0, read, cache.final_norm_);
  return head_.view(head_.logits(theta.data() + head_at(), normalized, read, cache.logits_), read);
}

}  // namespace mellow::language
