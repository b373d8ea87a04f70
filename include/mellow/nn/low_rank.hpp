// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cassert>
#include <cmath>
#include <string>
#include <utility>
#include <vector>

#include <mellow/core/buffer.hpp>
#include <mellow/core/error.hpp>
#include <mellow/core/gemm.hpp>
#include <mellow/core/network.hpp>
#include <mellow/core/rng.hpp>
#include <mellow/core/types.hpp>

namespace mellow::nn {

/// Which weights get an update of low rank, and how large it is.
struct LowRankOptions {
  Index rank = 8;                    ///< of every update, > 0
  double alpha = 16.0;               ///< updates are multiplied by alpha / rank; > 0, finite
  std::vector<std::string> names{};  ///< weights whose name contains one of these; empty: all but embeddings

  /// Throws Error for numbers out of range.
  void validate() const {
    require(rank > 0, "nn::LowRankOptions", "rank must be positive", rank);
    require(std::isfinite(alpha) && alpha > 0, "nn::LowRankOptions", "alpha must be positive and finite", alpha);
  }
};

/// Low-rank adaptation (Hu et al. 2022) of a frozen parameter vector: for each chosen weight W (out x in),
///
///     W + (alpha / rank) B A,     A of rank x in, B of out x rank
///
/// A and B of all weights are one small vector, the adapter. It knows no network, so that it serves any: run the network
/// at the sum (`merge`), and take its gradient there back to the adapter (`pull_back`).
class LowRank {
 public:
  /// For weights among these segments. Throws Error where none is chosen, or a name chooses none.
  LowRank(const std::vector<Segment>& segments, const LowRankOptions& options);

  Index parameters() const { return parameters_; }  ///< length of an adapter

  /// The named pieces of an adapter: "..lora_A.weight" and "..lora_B.weight" for each "..weight".
  const std::vector<Segment>& segments() const { return segments_; }

  /// An adapter that changes nothing yet: A uniform in +-1/sqrt(in), B zero.
  template <class Scalar = float>
  Vector<Scalar> initialize(Rng& rng) const {
    Vector<Scalar> adapter = Vector<Scalar>::Zero(parameters_);
    for (const Piece& piece : pieces_) {
      const double bound = 1.0 / std::sqrt(static_cast<double>(piece.in));
      for (Scalar& x : adapter.segment(piece.a, rank_ * piece.in)) x = static_cast<Scalar>(rng.uniform(-bound, bound));
    }
    return adapter;
  }

  /// Adds (alpha / rank) B A to each chosen weight of theta.
  template <class Scalar>
  void merge(const ConstVectorRef<Scalar>& adapter, VectorRef<Scalar> theta, Buffer<Scalar>& scratch) const {
    assert(adapter.size() == parameters_);
    for (const Piece& piece : pieces_) {
      auto scaled = scratch.reshape(rank_, piece.out);  // B', of an array that is row-major
      scaled = static_cast<Scalar>(scale_) * ConstMap<Scalar>(adapter.data() + piece.b, rank_, piece.out);
      Eigen::Map<Matrix<Scalar>> weight(theta.data() + piece.weight, piece.in, piece.out);
      add_product(weight, ConstMap<Scalar>(adapter.data() + piece.a, piece.in, rank_), scaled);
    }
  }

  /// Adds the derivatives by A and B, from those by theta at the sum: d A = (alpha / rank) B' d W, d B = (alpha / rank)
  /// d W A'.
  template <class Scalar>
  void pull_back(const ConstVectorRef<Scalar>& adapter, const ConstVectorRef<Scalar>& d_theta,
                 VectorRef<Scalar> d_adapter, Buffer<Scalar>& scratch) const {
    assert(adapter.size() == parameters_ && d_adapter.size() == parameters_);
    for (const Piece& piece : pieces_) {
      const ConstMap<Scalar> a(adapter.data() + piece.a, piece.in, rank_),
          b(adapter.data() + piece.b, rank_, piece.out), d_weight(d_theta.data() + piece.weight, piece.in, piece.out);
      const auto add = [&](Index at, const auto& left, const auto& right) {
        auto product = scratch.reshape(left.rows(), right.cols());
        product.setZero();
        add_product(product, left, right);
        d_adapter.segment(at, product.size()) += static_cast<Scalar>(scale_) * product.reshaped();
      };
      add(piece.a, d_weight, b.transpose());
      add(piece.b, a.transpose(), d_weight);
    }
  }

 private:
  template <class Scalar>
  using ConstMap = Eigen::Map<const Matrix<Scalar>>;

  struct Piece {
    Index in, out, weight, a, b;  // sizes of W; offsets
  };

  Index rank_;
  double scale_;
  std::vector<Piece> pieces_;
  std::vector<Segment> segments_;
  Index parameters_ = 0;
};

inline LowRank::LowRank(const std::vector<Segment>& segments, const LowRankOptions& options)
    : rank_((options.validate(), options.rank)), scale_(options.alpha / static_cast<double>(options.rank)) {
  std::vector<bool> used(options.names.size(), false);
  if (std::ranges::find(options.names, std::string()) != options.names.end())
    throw Error("nn::LowRank", "names must not be empty: every weight has nothing in its name");
  for (const Segment& segment : segments) {
    if (segment.kind != Segment::Kind::Weight || segment.shape.size() != 2) continue;
    bool chosen = options.names.empty() && segment.fan_in == segment.shape[1];
    for (std::size_t i = 0; i < options.names.size(); ++i)
      if (segment.name.find(options.names[i]) != std::string::npos) chosen = used[i] = true;
    if (!chosen) continue;
    const Index out = segment.shape[0], in = segment.shape[1];
    const Piece piece{in, out, segment.offset, parameters_, parameters_ + rank_ * in};
    std::string module = segment.name;
    if (module.ends_with(".weight")) module.resize(module.size() - std::string(".weight").size());
    segments_.push_back({module + ".lora_A.weight", {rank_, in}, piece.a, in, Segment::Kind::Weight});
    segments_.push_back({module + ".lora_B.weight", {out, rank_}, piece.b, rank_, Segment::Kind::Weight});
    pieces_.push_back(piece);
    parameters_ = piece.b + out * rank_;
  }
  for (std::size_t i = 0; i < used.size(); ++i)
    require(used[i], "nn::LowRank", "there is no weight with this in its name", options.names[i]);
  require(!pieces_.empty(), "nn::LowRank", "there are no weights to adapt among the segments", segments.size());
}

}  // namespace mellow::nn
