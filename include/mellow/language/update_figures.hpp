// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include <mellow/language/pair_reader.hpp>
#include <mellow/language/pair_set.hpp>
#include <mellow/preference/elementary.hpp>
#include <mellow/preference/pair.hpp>

namespace mellow::language::detail {

/// What an update on pairs found, as processes sum it: the loss's figures, how the mass of its pairs has changed, and by
/// how much they break the loss's constraint.
using UpdateFigures = std::array<double, 9>;

template <class Loss>
inline constexpr bool has_residual = requires(const Loss loss, const preference::Pair pair) { loss.residual(pair); };

/// Of the first n pairs of a batch, each with a share of the mean.
template <class Loss>
UpdateFigures update_figures(const PairFigures& of_loss, const Loss& loss, const PairSet& batch, Index n,
                             double share) {
  UpdateFigures figures{};
  std::ranges::copy(of_loss, figures.begin());
  double &mass = figures[7], &residual = figures[8];
  if constexpr (!has_residual<Loss>) residual = std::numeric_limits<double>::quiet_NaN();
  for (Index i = 0; i < n; ++i) {
    const preference::Pair pair{.chosen = batch.chosen[i],
                                .rejected = batch.rejected[i],
                                .reference_chosen = batch.reference_chosen[i],
                                .reference_rejected = batch.reference_rejected[i]};
    mass += share * (preference::log_add_exp(pair.chosen, pair.rejected) -
                     preference::log_add_exp(pair.reference_chosen, pair.reference_rejected));
    if constexpr (has_residual<Loss>) residual += share * std::abs(loss.residual(pair));
  }
  return figures;
}

/// Those of the loss, by name.
inline preference::PairLossValue named(const UpdateFigures& figures) {
  PairFigures of_loss;
  std::copy_n(figures.begin(), of_loss.size(), of_loss.begin());
  return named(of_loss);
}

}  // namespace mellow::language::detail
