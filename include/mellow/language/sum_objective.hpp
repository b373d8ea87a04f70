// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <span>
#include <type_traits>

#include <mellow/core/buffer.hpp>
#include <mellow/language/pair_reader.hpp>
#include <mellow/language/pair_set.hpp>
#include <mellow/preference/pair_objective.hpp>
#include <mellow/preference/unpaired.hpp>

namespace mellow::language::detail {

/// A loss of completions' summed log-probabilities, in a training: of a pair, of a batch, or of single completions.
template <class Scalar, class Loss>
class SumObjective {
 public:
  static constexpr bool unpaired = preference::UnpairedLoss<Loss>;
  static constexpr bool uses_baseline = [] {
    if constexpr (unpaired) return bool(Loss::uses_baseline);
    else return false;
  }();

  /// Throws Error for a single pair where a baseline needs another.
  SumObjective(std::span<const TokenizedPair> pairs, std::span<const TokenizedPair> held_out, Index context,
               bool has_reference)
      : has_reference_(has_reference) {
    if constexpr (uses_baseline) {
      mismatched_ = PairSet(mismatched_pairs(pairs, context));
      held_out_mismatched_ = PairSet(mismatched_pairs(held_out, context));
    }
  }

  /// Reads what the reference says of all pairs.
  template <class Reader, class Read, class Distributions>
  void set_reference(Reader& reader, PairSet& pairs, PairSet& held_out, const Read& log_probabilities,
                     const Distributions&, Index) {
    for (PairSet* set : {&pairs, &held_out, &mismatched_, &held_out_mismatched_})
      reader.read_reference(*set, log_probabilities, [](const auto&, Index) {});
  }

  /// Adds the gradient of `share` times the sum of the given pairs' losses, and its figures.
  template <class Reader>
  void add_gradient(Reader& reader, const Loss& given, const PairSet& set, std::span<const Index> pairs, PairSet& batch,
                    double share, PairFigures& figures) {
    const auto& loss = of_pairs(given, [&] { return baseline(reader, mismatched_, pairs, batch, true); });
    const Index n = std::ssize(pairs);
    auto d_chosen = d_chosen_.reshape(n, 1).col(0), d_rejected = d_rejected_.reshape(n, 1).col(0);
    d_chosen.setZero();
    d_rejected.setZero();
    const auto derive = [&](Index begin, Index count) {
      const double part = share * static_cast<double>(count);
      add(figures,
          preference::add_objective(loss, batch.batch(begin, count, has_reference_), part,
                                    d_chosen.segment(begin, count), d_rejected.segment(begin, count), scratch_),
          part);
    };
    // A loss of pairs needs one reading of each part.
    constexpr bool couples_rows = !preference::PairLoss<std::remove_cvref_t<decltype(loss)>>;
    reader.for_parts(pairs, [&](std::span<const Index> part, Index begin) {
      reader.read(set, part, batch, begin);
      if constexpr (!couples_rows) {
        derive(begin, std::ssize(part));
        backward(reader, begin);
      }
    });
    if constexpr (couples_rows) {
      derive(0, n);
      reader.for_parts(pairs, [&](std::span<const Index> part, Index begin) {
        if (std::ssize(part) < n) reader.read(set, part, batch, begin);  // the tape holds what was read last
        backward(reader, begin);
      });
    }
  }

  /// Loss and metrics of held-out pairs.
  template <class Reader>
  PairFigures evaluate(Reader& reader, const Loss& given, PairSet& held_out) {
    const Index n = held_out.size();
    const auto& loss =
        of_pairs(given, [&] { return baseline(reader, held_out_mismatched_, reader.all(n), held_out, false); });
    reader.read_all(held_out);
    unused_.resize(n, 2);
    PairFigures figures{};
    add(figures,
        preference::add_objective(loss, held_out.batch(0, n, has_reference_), 0.0, unused_.col(0), unused_.col(1),
                                  scratch_),
        1.0);
    return figures;
  }

  template <class Self, class Visit>
  static void visit_state(Self& self, Visit&& visit) {
    if constexpr (uses_baseline) {
      visit("reference_chosen", self.mismatched_.reference_chosen);
      visit("reference_rejected", self.mismatched_.reference_rejected);
      visit("held_out.reference_chosen", self.held_out_mismatched_.reference_chosen);
      visit("held_out.reference_rejected", self.held_out_mismatched_.reference_rejected);
    }
  }

 private:
  /// The loss as one of a pair or a batch: as given, or of single completions with the baseline that is asked for.
  template <class Baseline>
  static decltype(auto) of_pairs(const Loss& loss, [[maybe_unused]] const Baseline& baseline) {
    if constexpr (uses_baseline) return preference::TakenApart<Loss>{loss, baseline()};
    else if constexpr (unpaired) return preference::TakenApart<Loss>{loss};
    else return (loss);
  }

  /// z0 of pairs of a mismatched set. `scratch` takes their log-probabilities.
  template <class Reader>
  static double baseline(Reader& reader, const PairSet& mismatched, std::span<const Index> pairs, PairSet& scratch,
                         bool of_all_processes) {
    reader.for_parts(pairs,
                     [&](std::span<const Index> part, Index begin) { reader.read(mismatched, part, scratch, begin); });
    std::array<double, 2> sums{0, 2 * static_cast<double>(pairs.size())};
    for (Index k = 0; k < std::ssize(pairs); ++k) {
      const Index i = pairs[static_cast<std::size_t>(k)];
      sums[0] += scratch.chosen[k] - mismatched.reference_chosen[i];
      sums[0] += scratch.rejected[k] - mismatched.reference_rejected[i];
    }
    if (of_all_processes) reader.step().sum(sums);
    return preference::kto_baseline(sums[0], sums[1]);
  }

  /// The gradient of the part that was read last: each token weighs what its completion does.
  template <class Reader>
  void backward(Reader& reader, Index begin) {
    const PackedTokens read = reader.last();
    auto weights = weights_.reshape(read.size(), 1);
    for (Index k = 0; k < read.sequences(); ++k) {
      const double d = (k % 2 == 0 ? d_chosen_ : d_rejected_).data()[begin + k / 2];
      weights.col(0).segment(read.start(k) - read.start(0), read.length(k)).setConstant(static_cast<Scalar>(d));
    }
    reader.step().backward(weights.col(0));
  }

  bool has_reference_;
  PairSet mismatched_, held_out_mismatched_;  // prompts with other completions
  Buffer<double> d_chosen_, d_rejected_;
  Buffer<Scalar> weights_;
  Matrix<double> unused_;
  preference::SortScratch<double> scratch_;
};

}  // namespace mellow::language::detail
