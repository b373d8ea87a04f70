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
#include <mellow/language/embedding.hpp>
#include <mellow/language/read_out.hpp>
#include <mellow/language/reading.hpp>
#include <mellow/language/sequence_attention.hpp>
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
  using Embedding = detail::Embedding<Scalar_, Shape>;
  using Block = detail::Block<Scalar_, Shape>;
  using ReadOut = detail::ReadOut<Scalar_, Shape>;

 public:
  using Scalar = Scalar_;                           ///< of parameters and values
  using Values = Eigen::Map<const Vector<Scalar>>;  ///< what `log_probabilities` gives: a view
  using Distributions = typename ReadOut::View;     ///< what `log_distributions` gives: a view

  /// What a backward pass needs, and its scratch memory.
  class Tape {
    friend class Transformer;
    detail::Reading reading_;
    Buffer<Scalar> stream_, d_stream_, values_;
    std::vector<typename Block::Tape> blocks_;
    typename Block::Workspace workspace_;
    typename ReadOut::Tape read_out_;
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
    return read_out_.log_probabilities(tape.read_out_, tape.reading_.scored_columns());
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
  using Positions = typename Embedding::Positions;
  using SequenceAttention = detail::SequenceAttention<Scalar, Positions>;
  using Columns = typename Block::Columns;
  using ConstColumns = typename Block::ConstColumns;

  /// Columns that a block takes through all its parts while they are in the processor's cache: 128 KiB of the stream.
  Index piece() const {
    return std::max<Index>(64, (Index{1} << 17) / (static_cast<Index>(sizeof(Scalar)) * options_.width));
  }

  void backward_below_read_out(const Scalar* theta, Tape& tape, Scalar* gradient) const;

  SequenceAttention attention() const { return {blocks_.attention(), embedding_.positions()}; }

  Index block_at(std::size_t layer) const {
    return embedding_.parameters() + static_cast<Index>(layer) * blocks_.parameters();
  }
  Index final_norm_at() const { return block_at(static_cast<std::size_t>(options_.layers)); }
  Index head_at() const { return Shape::tied_head ? 0 : final_norm_at() + read_out_.norm().parameters(); }
  /// Where those of the read-out are, of parameters or of their gradient.
  template <class Number>
  typename ReadOut::template Parameters<Number> read_out_of(Number* theta) const {
    return {theta + final_norm_at(), theta + head_at()};
  }

  TransformerOptions options_;
  Embedding embedding_;
  Block blocks_;  // all are alike
  ReadOut read_out_;
  Index parameters_;
};

template <class Scalar, class Shape>
Transformer<Scalar, Shape>::Transformer(const TransformerOptions& options)
    : options_((options.validate(), options)),
      embedding_(options),
      blocks_(options),
      read_out_(options),
      parameters_(final_norm_at() + read_out_.norm().parameters() +
                  (Shape::tied_head ? 0 : vocabulary() * options.width)) {}

template <class Scalar, class Shape>
std::vector<Segment> Transformer<Scalar, Shape>::segments() const {
  std::vector<Segment> all;
  embedding_.append_segments(all);
  for (std::size_t l = 0; l < static_cast<std::size_t>(options_.layers); ++l)
    blocks_.append_segments(Shape::block + std::to_string(l) + ".", block_at(l), all);
  read_out_.norm().append_segments(Shape::final_norm, final_norm_at(), all);
  if constexpr (!Shape::tied_head)
    all.push_back({Shape::head, {vocabulary(), options_.width}, head_at(), options_.width, Segment::Kind::Weight});
  return all;
}

template <class Scalar, class Shape>
std::map<std::string, std::string> Transformer<Scalar, Shape>::architecture() const {
  std::map<std::string, std::string> texts{{"heads", fmt::format("{}", options_.heads)},
                                           {"norm_epsilon", fmt::format("{}", options_.norm_epsilon)}};
  if constexpr (Positions::turns) texts["rotary_base"] = fmt::format("{}", options_.rotary_base);
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
  const Index width = options_.width;
  Scalar* const stream = tape.stream_.reshape(width, reading.columns()).data();
  embedding_.forward(theta.data(), reading, stream);

  for (std::size_t l = 0; l < tape.blocks_.size(); ++l) {
    blocks_.resize(tape.blocks_[l], reading.columns());
    detail::for_groups(reading.starts, piece(), [&](std::size_t first, std::size_t last) {
      const auto starts = reading.starts_of(first, last);
      const auto attend = [&](Columns projections, Columns attended, Scalar* log_sums) {
        attention().forward(starts, projections, attended, log_sums, tape.workspace_.attention);
      };
      blocks_.template forward<true>(theta.data() + block_at(l), starts.front(), starts.back() - starts.front(),
                                     tape.blocks_[l], stream + starts.front() * width, attend);
    });
  }

  const Distributions log_p = read_out_.forward(read_out_of(theta.data()), reading, stream, tape.read_out_);
  auto values = tape.values_.reshape(packed.size(), 1);
  values.setZero();
  for (std::size_t i = 0; i < reading.scored.size(); ++i)
    values(reading.places[i]) = log_p(reading.targets[i], static_cast<Index>(i));
  return {values.data(), packed.size()};
}

template <class Scalar, class Shape>
void Transformer<Scalar, Shape>::backward(const ConstVectorRef<Scalar>& theta, Tape& tape,
                                          const ConstVectorRef<Scalar>& weights, VectorRef<Scalar> gradient) const {
  assert(theta.size() == parameters_ && gradient.size() == parameters_);
  read_out_.backward(read_out_of(theta.data()), tape.reading_, weights, tape.read_out_, read_out_of(gradient.data()),
                     tape.d_stream_.reshape(options_.width, tape.reading_.columns()));
  backward_below_read_out(theta.data(), tape, gradient.data());
}

template <class Scalar, class Shape>
void Transformer<Scalar, Shape>::backward_soft(const ConstVectorRef<Scalar>& theta, Tape& tape,
                                               const ConstMatrixRef<Scalar>& d_log_distributions,
                                               VectorRef<Scalar> gradient) const {
  assert(theta.size() == parameters_ && gradient.size() == parameters_ && d_log_distributions.rows() == vocabulary() &&
         d_log_distributions.cols() == tape.reading_.scored_columns());
  read_out_.backward_soft(read_out_of(theta.data()), tape.reading_, d_log_distributions, tape.read_out_,
                          read_out_of(gradient.data()),
                          tape.d_stream_.reshape(options_.width, tape.reading_.columns()));
  backward_below_read_out(theta.data(), tape, gradient.data());
}

/// From the derivatives by what the last block leaves, in the tape.
template <class Scalar, class Shape>
void Transformer<Scalar, Shape>::backward_below_read_out(const Scalar* theta, Tape& tape, Scalar* gradient) const {
  const detail::Reading& reading = tape.reading_;
  Scalar* const d_stream = tape.d_stream_.data();
  for (std::size_t l = tape.blocks_.size(); l-- > 0;)
    detail::for_groups(reading.starts, piece(), [&](std::size_t first, std::size_t last) {
      const auto starts = reading.starts_of(first, last);
      const auto attend_back = [&](ConstColumns projections, const Scalar* log_sums, ConstColumns d_attended,
                                   Columns d_projections) {
        attention().backward(starts, projections, log_sums, d_attended, d_projections, tape.workspace_.attention);
      };
      blocks_.backward(theta + block_at(l), starts.front(), starts.back() - starts.front(), tape.blocks_[l],
                       tape.workspace_, gradient + block_at(l), d_stream + starts.front() * options_.width,
                       attend_back);
    });
  embedding_.backward(reading, d_stream, gradient);
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
    embedding_.forward(theta.data(), token, position, column);
  });
  cache.pass(packed, blocks_, attention(), options_.layers, piece(),
             [&](std::size_t layer) { return theta.data() + block_at(layer); });
  return read_out_.logits(read_out_of(theta.data()), cache.last_columns(packed, read), read, cache.final_norm_,
                          cache.logits_);
}

}  // namespace mellow::language
