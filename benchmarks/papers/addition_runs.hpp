// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "../suite/estimates.hpp"

/// What preference losses do to a small transformer whose pairs are its own samples: shared by the papers that cure
/// displacement.
///
/// Of each seed: the transformer learns long addition from an imperfect teacher, whom it imitates well enough to be right
/// in a quarter of its samples. Of 1 000 prompts with eight samples each the first right and the first wrong sample are a
/// pair; of 300 more prompts likewise a held-out pair. Each loss goes on from the same weights and pairs.
namespace mellow::suite {

/// Epochs after which an alignment is measured.
inline constexpr std::array<Index, 4> addition_epochs{1, 2, 4, 8};

/// Which pairs a figure is of.
enum class Pairs { Training, HeldOut };

/// @{
/// The names of figures.
std::string chosen_at(Index epoch, Pairs of = Pairs::Training);    ///< median a_w
std::string rejected_at(Index epoch, Pairs of = Pairs::Training);  ///< median a_l
std::string fell_at(Index epoch, Pairs of = Pairs::Training);      ///< share of pairs with a_w < 0
std::string accuracy_at(Index epoch, Pairs of = Pairs::Training);  ///< share of pairs with a_w > a_l
std::string right_at(Index epoch);                                 ///< share of 300 samples that are right
inline const std::string pairs_learned = "pairs";                  ///< how many
inline const std::string fell_first = "winners that fell in epoch 1";
inline const std::string fell_always = "winners that fell in each of epochs 1 to 4";
/// @}

/// One loss, at all seeds.
struct AdditionRuns {
  std::string loss;            ///< its name
  std::vector<Figures> seeds;  ///< of each seed

  std::vector<double> operator()(const std::string& metric) const;  ///< a figure, a number a seed
  std::vector<double> share_fell_always() const;  ///< of the pairs' winners, those that fell in each of epochs 1 to 4
  /// Of the winners that fell in epoch 1, the share that fell in epochs 2, 3 and 4 too; NaN for a seed of none.
  std::vector<double> share_kept_falling() const;
};

/// The reference before the alignment, and the losses in the order in which they were asked for.
struct Addition {
  AdditionRuns reference;  ///< its right samples are those of epoch 0
  std::vector<AdditionRuns> losses;

  const AdditionRuns& operator[](const std::string& loss) const;  ///< throws Error where it was not asked for
};

/// Trains the losses of these names: DPO, IPO, chiPO, SquaredPO, and C2-DPO as `c2_name` says. Throws Error for others.
Addition run_addition(Study& study, const std::vector<std::string>& losses);

/// C2-DPO's name: "C2-DPO Log l2, 2e-4".
std::string c2_name(const std::string& constraint, const std::string& norm, const std::string& lambda);

/// Draws right samples, and the median a_w of the pairs, over epochs: `addition_right` and `addition_chosen`, a line with its
/// interval a loss of `names`; the latter again in a close-up of the range `close`, `addition_close`.
void draw_addition(const Study& study, const Addition& addition, const std::vector<std::string>& names,
                   const std::pair<double, double>& close);

/// Writes `addition.md`: means over seeds, a row a loss.
void tabulate_addition(const Study& study, const Addition& addition);

}  // namespace mellow::suite
