// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <iterator>
#include <string>
#include <vector>

#include <mellow/core/buffer.hpp>
#include <mellow/language/attention.hpp>
#include <mellow/language/transformer_options.hpp>
#include <mellow/language/transformer_shapes.hpp>
#include <mellow/nn/linear.hpp>

namespace mellow::language::detail {

/// One block of a transformer, in columns of tokens, over the residual stream h (width x n):
///
///     h += W_o Attention(W_qkv norm_1(h)),     h += FeedForward(norm_2(h))
template <class Scalar, class Shape>
class Block {
 public:
  using Columns = Attention::Columns<Scalar>;
  using ConstColumns = Attention::Columns<const Scalar>;

  /// What a backward pass needs.
  struct Tape {
    NormTape<Scalar> attention_norm, feed_forward_norm;
    Buffer<Scalar> projections;  // queries, keys and values, one below the other
    Buffer<Scalar> log_sums, attended;
    FeedForwardTape<Scalar> feed_forward;
  };

  /// Scratch memory of a pass.
  struct Workspace {
    Attention::Workspace<Scalar> attention;
    Buffer<Scalar> d_projections, d_attended, d_normalized, d_hidden;
  };

  explicit Block(const TransformerOptions& options)
      : width_(options.width),
        norm_{options.width, options.norm_epsilon},
        attention_(options.heads, options.key_value_heads == 0 ? options.heads : options.key_value_heads,
                   options.width / options.heads),
        projection_{width_, attention_.query_rows() + 2 * attention_.key_rows(), Shape::has_biases},
        output_{attention_.query_rows(), width_, Shape::has_biases},
        feed_forward_(width_, options.hidden, Shape::has_biases) {}

  const Attention& attention() const { return attention_; }
  Index parameters() const { return feed_forward_at() + feed_forward_.parameters(); }

  Index append_segments(const std::string& prefix, Index offset, std::vector<Segment>& segments) const {
    norm_.append_segments(prefix + Shape::attention_norm, offset, segments);
    append_projections(prefix, offset + projection_at(), segments);
    output_.append_segments(prefix + Shape::attention_output + ".", offset + output_at(), segments);
    norm_.append_segments(prefix + Shape::feed_forward_norm, offset + feed_forward_norm_at(), segments);
    const auto& names = Shape::feed_forward;
    return feed_forward_.append_segments({prefix + names[0], prefix + names[1], prefix + names[2]},
                                         offset + feed_forward_at(), segments);
  }

  /// Makes room in a tape for so many columns.
  void resize(Tape& tape, Index columns) const {
    tape.attention_norm.resize(width_, columns);
    tape.feed_forward_norm.resize(width_, columns);
    tape.projections.reshape(projection_.out, columns);
    tape.log_sums.reshape(attention_.heads(), columns);
    tape.attended.reshape(output_.in, columns);
    feed_forward_.resize(tape.feed_forward, columns);
  }

  /// Changes h, n columns that the tape keeps as `begin` and later. `attend(projections, attended, log_sums)`, all from
  /// there on, turns queries and keys where they must be, and attends. A backward pass needs `keeps_slopes`.
  template <bool keeps_slopes, class Attend>
  void forward(const Scalar* theta, Index begin, Index n, Tape& tape, Scalar* h, const Attend& attend) const {
    const Scalar* normalized = norm_.forward(theta, h, begin, n, tape.attention_norm);
    const Columns projections = projections_of(tape, begin), attended = attended_of(tape, begin);
    projection_.set(theta + projection_at(), normalized, n, projections.data);
    attend(projections, attended, tape.log_sums.data() + begin * attention_.heads());
    output_.add(theta + output_at(), attended.data, n, h);
    normalized = norm_.forward(theta + feed_forward_norm_at(), h, begin, n, tape.feed_forward_norm);
    feed_forward_.template forward<keeps_slopes>(theta + feed_forward_at(), normalized, begin, n, tape.feed_forward, h);
  }

  /// Makes d h, of n columns, that by the block's input, and adds to its parameters' gradient. `attend_back(projections,
  /// log_sums, d_attended, d_projections)` is attention's backward pass.
  template <class AttendBack>
  void backward(const Scalar* theta, Index begin, Index n, Tape& tape, Workspace& workspace, Scalar* gradient,
                Scalar* d_h, const AttendBack& attend_back) const {
    Scalar* const d_normalized = workspace.d_normalized.reshape(width_, n).data();
    feed_forward_.backward(theta + feed_forward_at(), tape.feed_forward_norm.value.data() + begin * width_, d_h, begin,
                           n, tape.feed_forward, workspace.d_hidden, gradient + feed_forward_at(), d_normalized);
    norm_.backward(theta + feed_forward_norm_at(), d_normalized, begin, n, tape.feed_forward_norm,
                   gradient + feed_forward_norm_at(), d_h);

    const Columns projections = projections_of(tape, begin);
    const Columns d_projections{workspace.d_projections.reshape(projection_.out, n).data(), projection_.out};
    Scalar* const d_attended = workspace.d_attended.reshape(output_.in, n).data();
    output_.add_gradient(attended_of(tape, begin).data, d_h, n, gradient + output_at());
    output_.input_gradient(theta + output_at(), d_h, n, d_attended, output_.in);
    attend_back(ConstColumns{projections.data, projections.stride}, tape.log_sums.data() + begin * attention_.heads(),
                ConstColumns{d_attended, output_.in}, d_projections);
    projection_.add_gradient(tape.attention_norm.value.data() + begin * width_, d_projections.data, n,
                             gradient + projection_at());
    projection_.input_gradient(theta + projection_at(), d_projections.data, n, d_normalized, width_);
    norm_.backward(theta, d_normalized, begin, n, tape.attention_norm, gradient, d_h);
  }

 private:
  Columns projections_of(Tape& tape, Index begin) const {
    return {tape.projections.data() + begin * projection_.out, projection_.out};
  }
  Columns attended_of(Tape& tape, Index begin) const { return {tape.attended.data() + begin * output_.in, output_.in}; }

  Index projection_at() const { return norm_.parameters(); }
  Index output_at() const { return projection_at() + projection_.parameters(); }
  Index feed_forward_norm_at() const { return output_at() + output_.parameters(); }
  Index feed_forward_at() const { return feed_forward_norm_at() + norm_.parameters(); }

  /// Those of queries, keys and values: of one tensor, or of three whose weights lie one below the other.
  void append_projections(const std::string& prefix, Index offset, std::vector<Segment>& segments) const {
    if constexpr (std::size(Shape::query_key_value) == 1) {
      projection_.append_segments(prefix + Shape::query_key_value[0] + ".", offset, segments);
    } else {
      const Index rows[] = {attention_.query_rows(), attention_.key_rows(), attention_.key_rows()};
      for (std::size_t i = 0; i < 3; ++i) {
        segments.push_back(
            {prefix + Shape::query_key_value[i] + ".weight", {rows[i], width_}, offset, width_, Segment::Kind::Weight});
        offset += rows[i] * width_;
      }
      for (std::size_t i = 0; i < 3 && Shape::has_biases; ++i) {
        segments.push_back(
            {prefix + Shape::query_key_value[i] + ".bias", {rows[i]}, offset, width_, Segment::Kind::Bias});
        offset += rows[i];
      }
    }
  }

  Index width_;
  typename Shape::Norm norm_;
  Attention attention_;
  nn::detail::Linear projection_, output_;
  typename Shape::FeedForward feed_forward_;
};

}  // namespace mellow::language::detail
