// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>

#include <mellow/preference/elementary.hpp>
#include <mellow/preference/pair.hpp>
#include <mellow/preference/pair_batch.hpp>

namespace mellow::preference {

/// What one watches while training on pairs, by the conventions of Hugging Face's trl: rewards are beta times the plain
/// log-ratio, whatever the loss (without a reference, beta times the log-probability). Means over the batch.
struct PairMetrics {
  double chosen_reward = 0;      ///< beta a_w
  double rejected_reward = 0;    ///< beta a_l
  double accuracy = 0;           ///< share of pairs with a_w > a_l; a tie counts as wrong
  double chosen_log_prob = 0;    ///< log pi(y_w | x)
  double rejected_log_prob = 0;  ///< log pi(y_l | x)
  double clipped = 0;            ///< share of pairs at which a bound that keeps the loss finite is at work

  double margin() const { return chosen_reward - rejected_reward; }  ///< beta (a_w - a_l)
};

/// The mean loss of a batch of pairs, with its metrics.
struct PairLossValue {
  double value = 0;       ///< mean over the batch of weight times loss
  PairMetrics metrics{};  ///< of the same batch
};

/// As above with the gradient, which belongs to the value: the derivatives of the mean.
template <class Scalar>
struct PairLossGradient {
  double value = 0;           ///< mean over the batch of weight times loss
  Vector<Scalar> d_chosen;    ///< d value / d chosen, one a pair
  Vector<Scalar> d_rejected;  ///< d value / d rejected
  PairMetrics metrics{};      ///< of the same batch
};

namespace detail {

/// Whether a loss writes its gradient over what is there, or adds a multiple of it.
enum class Into { write, add };

/// As many pairs as stay in the first cache, as columns of doubles.
struct PairBlock {
  static constexpr Index capacity = 256;
  using Numbers = double[capacity];
  alignas(64) Numbers chosen, rejected, reference_chosen, reference_rejected, chosen_tokens, rejected_tokens, weights;
  alignas(64) Numbers value, d_chosen, d_rejected, clipped;

  template <class Scalar>
  static void fill(Numbers& to, const Column<Scalar>& from, Index begin, Index n) {
    if (from.empty()) return;
    const Scalar* numbers = from.data() + begin;
    for (Index i = 0; i < n; ++i) to[i] = static_cast<double>(numbers[i]);
  }
  /// What stands for a column that is absent, for all blocks.
  template <class Scalar>
  static void fill_absent(Numbers& to, const Column<Scalar>& from, Index n, double value) {
    if (from.empty()) std::fill_n(to, n, value);
  }
};

/// Everything that is called here is inlined, a user's loss too, so that the loop vectorises.
template <PairLoss L, class Whole>
[[gnu::flatten]] void evaluate_pairs(const L& given, const Whole& whole, PairBlock& block, Index n) {
  const L loss = given;  // nobody else writes to it
  for (Index i = 0; i < n; ++i) {
    const Pair pair{block.chosen[i],           block.rejected[i],
                    block.reference_chosen[i], block.reference_rejected[i],
                    block.chosen_tokens[i],    block.rejected_tokens[i]};
    const PairTerm term = loss(pair);
    block.value[i] = term.value;
    block.d_chosen[i] = term.d_chosen;
    block.d_rejected[i] = term.d_rejected;
    if constexpr (requires { whole.clips(pair); }) block.clipped[i] = whole.clips(pair) ? 1.0 : 0.0;
  }
}

template <PairLoss L>
void evaluate(const L& loss, PairBlock& block, Index n) {
  const auto use = [&](const auto& one) { evaluate_pairs(one, loss, block, n); };
  if constexpr (requires { loss.specialised(use); }) loss.specialised(use);
  else use(loss);
}

template <class L>
double reward_scale(const L& loss) {
  if constexpr (requires { loss.beta; }) return loss.beta;
  else if constexpr (requires { loss.loss.beta; }) return loss.loss.beta;  // of a loss around another
  else return 1.0;
}

/// Whether a bound of a loss is at work; false for a loss that has none.
template <PairLoss L>
[[gnu::always_inline]] inline bool clips([[maybe_unused]] const L& loss, [[maybe_unused]] const Pair& pair) {
  if constexpr (requires { loss.clips(pair); }) return loss.clips(pair);
  else return false;
}

template <class L>
void validate_loss(const L& loss) {
  if constexpr (requires { loss.validate(); }) loss.validate();
}

template <class Scalar>
[[noreturn]] void refuse_pair(const PairBatch<Scalar>& batch, Index i, double value) {
  throw Error(
      "preference::pair_loss",
      fmt::format("the loss of pair {}, its gradient or what they come from is not finite: its log-probabilities are "
                  "{} and {}, the reference's {} and {}, its tokens {} and {}",
                  i, batch.chosen[i], batch.rejected[i], batch.reference_chosen.at(i, 0),
                  batch.reference_rejected.at(i, 0), batch.chosen_tokens.at(i, 1), batch.rejected_tokens.at(i, 1)),
      value);
}

template <Into into, PairLoss L, class Scalar>
PairLossValue pair_loss(const L& loss, const PairBatch<Scalar>& batch, double scale, Scalar* d_chosen,
                        Scalar* d_rejected) {
  const Index size = batch.size(), first = std::min(size, PairBlock::capacity);
  PairBlock block;
  PairBlock::fill_absent(block.reference_chosen, batch.reference_chosen, first, 0.0);
  PairBlock::fill_absent(block.reference_rejected, batch.reference_rejected, first, 0.0);
  PairBlock::fill_absent(block.chosen_tokens, batch.chosen_tokens, first, 1.0);
  PairBlock::fill_absent(block.rejected_tokens, batch.rejected_tokens, first, 1.0);
  const double share = scale / static_cast<double>(size);
  double value = 0, chosen = 0, rejected = 0, reference_chosen = 0, reference_rejected = 0, wins = 0, clipped = 0;
  for (Index begin = 0; begin < size; begin += PairBlock::capacity) {
    const Index n = std::min(PairBlock::capacity, size - begin);
    PairBlock::fill(block.chosen, batch.chosen, begin, n);
    PairBlock::fill(block.rejected, batch.rejected, begin, n);
    PairBlock::fill(block.reference_chosen, batch.reference_chosen, begin, n);
    PairBlock::fill(block.reference_rejected, batch.reference_rejected, begin, n);
    PairBlock::fill(block.chosen_tokens, batch.chosen_tokens, begin, n);
    PairBlock::fill(block.rejected_tokens, batch.rejected_tokens, begin, n);
    evaluate(loss, block, n);

    using Numbers = Eigen::Map<Eigen::ArrayXd, Eigen::Aligned32>;
    const auto numbers = [n](PairBlock::Numbers& of) { return Numbers(of, n); };
    if (!batch.weights.empty()) {
      PairBlock::fill(block.weights, batch.weights, begin, n);
      numbers(block.value) *= numbers(block.weights);
      numbers(block.d_chosen) *= numbers(block.weights);
      numbers(block.d_rejected) *= numbers(block.weights);
    }
    const double of_block = numbers(block.value).sum();
    value += of_block;
    chosen += numbers(block.chosen).sum();
    rejected += numbers(block.rejected).sum();
    if (!batch.reference_chosen.empty()) reference_chosen += numbers(block.reference_chosen).sum();
    if (!batch.reference_rejected.empty()) reference_rejected += numbers(block.reference_rejected).sum();
    if (!std::isfinite(of_block + numbers(block.d_chosen).sum() + numbers(block.d_rejected).sum()) ||
        std::isnan(chosen + rejected + reference_chosen + reference_rejected))
      for (Index i = 0; i < n; ++i) {
        for (const double number : {block.value[i], block.d_chosen[i], block.d_rejected[i]})
          if (!std::isfinite(number)) refuse_pair(batch, begin + i, number);
        for (const double number :
             {block.chosen[i], block.rejected[i], block.reference_chosen[i], block.reference_rejected[i]})
          if (std::isnan(number)) refuse_pair(batch, begin + i, number);
      }
    Index won = 0;
    for (Index i = 0; i < n; ++i)
      won += block.chosen[i] - block.reference_chosen[i] > block.rejected[i] - block.reference_rejected[i] ? 1 : 0;
    wins += static_cast<double>(won);
    if constexpr (requires(const Pair pair) { loss.clips(pair); }) clipped += numbers(block.clipped).sum();

    const auto store = [&](Scalar* to, const PairBlock::Numbers& from) {
      for (Index i = 0; i < n; ++i) {
        const double gradient = share * from[i];
        if constexpr (into == Into::write) to[i] = narrowed<Scalar>(gradient);
        else to[i] = narrowed<Scalar>(static_cast<double>(to[i]) + gradient);
      }
    };
    store(d_chosen + begin, block.d_chosen);
    store(d_rejected + begin, block.d_rejected);
  }
  const double mean = 1.0 / static_cast<double>(size), beta = reward_scale(loss);
  return {.value = mean * value,
          .metrics = {.chosen_reward = beta * mean * (chosen - reference_chosen),
                      .rejected_reward = beta * mean * (rejected - reference_rejected),
                      .accuracy = mean * wins,
                      .chosen_log_prob = mean * chosen,
                      .rejected_log_prob = mean * rejected,
                      .clipped = mean * clipped}};
}

template <class Scalar>
void require_gradients(std::string_view where, const PairBatch<Scalar>& batch, Index chosen, Index rejected) {
  batch.validate(where);
  require_size(chosen, batch.size(), where, "d_chosen");
  require_size(rejected, batch.size(), where, "d_rejected");
}

/// Says in words what a loss lacks.
template <class L>
consteval bool require_pair_loss() {
  constexpr bool is_one = PairLoss<L>;
  static_assert(is_one,
                "mellow: a preference loss must have `preference::PairTerm operator()(const preference::Pair&) const`");
  return is_one;
}

}  // namespace detail

/// The mean loss of a batch of pairs, mean_i weight_i L(pair_i), its gradient and metrics. `d_chosen` and `d_rejected`
/// (one number a pair) are overwritten.
///
/// Computes in double whatever the columns are, since a log-ratio is a small difference of large numbers; allocates
/// nothing; the result is the same bits for the same build, however often it is called. A gradient beyond the range of
/// the columns' floats is the largest of them. Throws Error for columns that do not fit, numbers of the loss out of
/// range, and a loss or gradient that is not finite in double or a log-probability that is NaN, be it one that the loss
/// does not look at, naming the pair.
template <class L, class Scalar>
PairLossValue pair_loss(const L& loss, const PairBatch<Scalar>& batch, VectorRef<Scalar> d_chosen,
                        VectorRef<Scalar> d_rejected) {
  if constexpr (detail::require_pair_loss<L>()) {
    detail::require_gradients("preference::pair_loss", batch, d_chosen.size(), d_rejected.size());
    detail::validate_loss(loss);
    return detail::pair_loss<detail::Into::write>(loss, batch, 1.0, d_chosen.data(), d_rejected.data());
  } else return {};
}

/// The same, adding `scale` times the gradient to what is there: for sums of losses. The value and the metrics are not
/// scaled.
template <class L, class Scalar>
PairLossValue add_pair_loss(const L& loss, const PairBatch<Scalar>& batch, double scale, VectorRef<Scalar> d_chosen,
                            VectorRef<Scalar> d_rejected) {
  if constexpr (detail::require_pair_loss<L>()) {
    detail::require_gradients("preference::add_pair_loss", batch, d_chosen.size(), d_rejected.size());
    detail::validate_loss(loss);
    return detail::pair_loss<detail::Into::add>(loss, batch, scale, d_chosen.data(), d_rejected.data());
  } else return {};
}

/// The same with gradients of its own.
template <class L, class Scalar>
PairLossGradient<Scalar> pair_loss(const L& loss, const PairBatch<Scalar>& batch) {
  PairLossGradient<Scalar> found{.d_chosen = Vector<Scalar>(batch.size()), .d_rejected = Vector<Scalar>(batch.size())};
  const PairLossValue of_batch = pair_loss(loss, batch, found.d_chosen, found.d_rejected);
  found.value = of_batch.value;
  found.metrics = of_batch.metrics;
  return found;
}

}  // namespace mellow::preference
