// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cmath>
#include <limits>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include <mellow/core/error.hpp>
#include <mellow/core/types.hpp>
#include <mellow/preference/pair_batch.hpp>
#include <mellow/preference/pair_loss.hpp>
#include <mellow/preference/pair_record.hpp>

namespace mellow::preference {

/// The log-probabilities of the same pairs at checkpoints of a training: what `diagnose` reads. Filled during training
/// by `add`, or from rows by `tabulate` (tabulate.hpp).
///
///     history.add(step, batch, loss);   // at each checkpoint, the first before training
struct PairHistory {
  std::vector<std::string> pairs{};  ///< their names
  std::vector<Index> steps{};        ///< of the checkpoints, ascending
  /// @{
  /// log pi, pairs x checkpoints.
  Matrix<double> chosen{}, rejected{};
  /// @}
  /// @{
  /// log pi_ref, pairs x checkpoints; or empty.
  Matrix<double> reference_chosen{}, reference_rejected{};
  /// @}
  /// @{
  /// Tokens of the responses, one a pair; or empty.
  Vector<double> chosen_tokens{}, rejected_tokens{};
  /// @}
  Matrix<double> clipped{};        ///< 1 where a bound of the loss was at work; or empty
  Matrix<double> out_of_sample{};  ///< probability of responses in no pair, pairs x checkpoints; or empty

  Index size() const { return std::ssize(pairs); }         ///< pairs
  Index checkpoints() const { return std::ssize(steps); }  ///< there are

  /// Throws Error for matrices and vectors that do not fit the names and the steps.
  void validate(std::string_view from) const {
    const auto fits = [&](const auto& matrix, Index columns, bool needed, std::string_view name) {
      if (matrix.size() == 0 && !needed) return;
      if (matrix.rows() != size() || matrix.cols() != columns)
        throw Error(from, fmt::format("{} must be {} x {}", name, size(), columns),
                    fmt::format("{} x {}", matrix.rows(), matrix.cols()));
    };
    require(std::ranges::adjacent_find(steps, std::ranges::greater_equal{}) == steps.end(), from,
            "the steps must be ascending", steps.size());
    fits(chosen, checkpoints(), true, "chosen");
    fits(rejected, checkpoints(), true, "rejected");
    fits(reference_chosen, checkpoints(), false, "reference_chosen");
    fits(reference_rejected, checkpoints(), reference_chosen.size() > 0, "reference_rejected");
    fits(chosen_tokens, 1, false, "chosen_tokens");
    fits(rejected_tokens, 1, chosen_tokens.size() > 0, "rejected_tokens");
    fits(clipped, checkpoints(), false, "clipped");
    fits(out_of_sample, checkpoints(), false, "out_of_sample");
  }

  /// Adds a checkpoint: all pairs, in the same order each time. `out_of_sample_mass` is the probability of the
  /// responses of each prompt that are in no pair (the function of that name gives it), given always or never. Throws
  /// Error for a step that is not after the last, columns that do not fit or come at some checkpoints only, a
  /// log-probability that is not finite, or positive, and other token counts than before; the history is then as
  /// before.
  template <class Scalar>
  void add(Index step, const PairBatch<Scalar>& batch, std::type_identity_t<Column<Scalar>> out_of_sample_mass = {}) {
    append(step, batch, out_of_sample_mass, {});
  }

  /// The same with what the loss says of its bounds.
  template <PairLoss L, class Scalar>
  void add(Index step, const PairBatch<Scalar>& batch, const L& loss,
           std::type_identity_t<Column<Scalar>> out_of_sample_mass = {}) {
    batch.validate(where);
    Vector<double> at_bound(batch.size());
    for (Index i = 0; i < batch.size(); ++i)
      at_bound[i] = detail::clips(loss, Pair{.chosen = static_cast<double>(batch.chosen[i]),
                                             .rejected = static_cast<double>(batch.rejected[i]),
                                             .reference_chosen = batch.reference_chosen.at(i, 0),
                                             .reference_rejected = batch.reference_rejected.at(i, 0),
                                             .chosen_tokens = batch.chosen_tokens.at(i, 1),
                                             .rejected_tokens = batch.rejected_tokens.at(i, 1)})
                        ? 1.0
                        : 0.0;
    append(step, batch, out_of_sample_mass, at_bound);
  }

  /// All numbers as rows, checkpoint by checkpoint.
  std::vector<PairRecord> records() const {
    std::vector<PairRecord> rows;
    for (Index k = 0; k < checkpoints(); ++k)
      for (Index i = 0; i < size(); ++i) {
        PairRecord row{.step = steps[static_cast<std::size_t>(k)],
                       .pair = pairs[static_cast<std::size_t>(i)],
                       .chosen = chosen(i, k),
                       .rejected = rejected(i, k)};
        if (reference_chosen.size() > 0) row.reference_chosen = reference_chosen(i, k);
        if (reference_rejected.size() > 0) row.reference_rejected = reference_rejected(i, k);
        if (chosen_tokens.size() > 0) row.chosen_tokens = chosen_tokens[i];
        if (rejected_tokens.size() > 0) row.rejected_tokens = rejected_tokens[i];
        if (clipped.size() > 0) row.clipped = clipped(i, k) != 0;
        if (out_of_sample.size() > 0) row.out_of_sample = out_of_sample(i, k);
        rows.push_back(std::move(row));
      }
    return rows;
  }

 private:
  static constexpr auto where = "preference::PairHistory";

  friend PairHistory tabulate(std::span<const PairRecord> records, std::string_view where);

  template <class Scalar>
  void append(Index step, const PairBatch<Scalar>& batch, const Column<Scalar>& mass, const Vector<double>& at_bound);
};

template <class Scalar>
void PairHistory::append(Index step, const PairBatch<Scalar>& batch, const Column<Scalar>& mass,
                         const Vector<double>& at_bound) {
  batch.validate(where);
  const Index n = batch.size(), k = checkpoints();
  const auto refuse = [&](std::string_view problem, std::string_view name, Index i, double value) {
    throw Error(where, fmt::format("{} of pair {} at step {} {}", name, i, step, problem), value);
  };
  require(step >= 0 && (k == 0 || step > steps.back()), where, "a step must be at least 0 and after the last", step);
  if (k > 0) detail::require_size(n, size(), where, "a checkpoint");
  detail::require_size_or_none(mass.size(), n, where, "out_of_sample");
  require(batch.reference_chosen.empty() == batch.reference_rejected.empty(), where,
          "the reference's columns must both be there or both be absent", batch.reference_chosen.size());
  require(batch.chosen_tokens.empty() == batch.rejected_tokens.empty(), where,
          "the token counts must both be there or both be absent", batch.chosen_tokens.size());
  struct Range {
    double least, most;
    std::string_view problem;
  };
  const auto column = [&](const Column<Scalar>& from, std::string_view name, const Range& range, bool was_there) {
    if (k > 0 && was_there == from.empty())
      throw Error(where, fmt::format("{} must be given at every checkpoint or at none", name), step);
    Vector<double> values(from.size());
    for (Index i = 0; i < values.size(); ++i) {
      values[i] = static_cast<double>(from[i]);
      if (!std::isfinite(values[i])) refuse("must be finite", name, i, values[i]);
      if (values[i] < range.least || values[i] > range.most) refuse(range.problem, name, i, values[i]);
    }
    return values;
  };
  constexpr double infinity = std::numeric_limits<double>::infinity();
  const auto log_prob = [&](const Column<Scalar>& from, std::string_view name, const Matrix<double>& before) {
    return column(from, name, {-infinity, log_prob_rounding, "must not be positive"}, before.size() > 0);
  };
  const auto tokens = [&](const Column<Scalar>& from, std::string_view name, const Vector<double>& before) {
    Vector<double> values = column(from, name, {1.0, infinity, "must be at least 1"}, before.size() > 0);
    for (Index i = 0; i < before.size(); ++i)
      if (values[i] != before[i]) refuse("must be as before", name, i, values[i]);
    return values;
  };
  const Vector<double> l_w = log_prob(batch.chosen, "chosen", chosen),
                       l_l = log_prob(batch.rejected, "rejected", rejected);
  const Vector<double> r_w = log_prob(batch.reference_chosen, "reference_chosen", reference_chosen);
  const Vector<double> r_l = log_prob(batch.reference_rejected, "reference_rejected", reference_rejected);
  const Vector<double> n_w = tokens(batch.chosen_tokens, "chosen_tokens", chosen_tokens);
  const Vector<double> n_l = tokens(batch.rejected_tokens, "rejected_tokens", rejected_tokens);
  const Vector<double> outside =
      column(mass, "out_of_sample", {0.0, 1.0, "must be from 0 to 1"}, out_of_sample.size() > 0);
  require(k == 0 || (clipped.size() > 0) == (at_bound.size() > 0), where,
          "the loss must be given at every checkpoint or at none", step);

  const auto put = [k](Matrix<double>& into, const Vector<double>& values) {
    if (values.size() == 0) return;
    into.conservativeResize(values.size(), k + 1);
    into.col(k) = values;
  };
  put(chosen, l_w);
  put(rejected, l_l);
  put(reference_chosen, r_w);
  put(reference_rejected, r_l);
  put(clipped, at_bound);
  put(out_of_sample, outside);
  chosen_tokens = n_w;
  rejected_tokens = n_l;
  if (k == 0)
    for (Index i = 0; i < n; ++i) pairs.push_back(fmt::format("{}", i));
  steps.push_back(step);
}

}  // namespace mellow::preference
