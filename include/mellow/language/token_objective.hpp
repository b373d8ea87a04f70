// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <fmt/format.h>

#include <cmath>
#include <span>
#include <vector>

#include <mellow/core/buffer.hpp>
#include <mellow/core/error.hpp>
#include <mellow/core/language_model.hpp>
#include <mellow/language/pair_reader.hpp>
#include <mellow/language/pair_set.hpp>
#include <mellow/language/token_sequences.hpp>
#include <mellow/preference/pair_objective.hpp>
#include <mellow/preference/token_loss.hpp>
#include <mellow/preference/token_losses.hpp>

namespace mellow::language::detail {

/// What a reference says of the tokens of a set of sequences, computed once.
template <class Scalar>
struct ReferenceTokens {
  Vector<double> log_probs;      // a number a token of the set, those of prompts too; empty: no reference
  Matrix<Scalar> distributions;  // vocabulary x completion tokens of the set: log pi_ref; or empty
  std::vector<Index> columns;    // where each sequence's distributions begin, and the end

  /// Makes room, `vocabulary` rows of distributions.
  void resize(const TokenSequences& sequences, Index vocabulary) {
    columns.assign(1, 0);
    for (Index k = 0; k < sequences.size(); ++k) columns.push_back(columns.back() + sequences.completion_length(k));
    log_probs.setZero(sequences.tokens());
    distributions.setZero(vocabulary, vocabulary > 0 ? columns.back() : 0);
  }

  template <class Self, class Visit>
  static void visit_state(Self& self, Visit&& visit) {
    visit("log_probs", self.log_probs);
    visit("distributions", self.distributions);
  }
};

/// A loss of tokens, in a training.
template <class Scalar, preference::TokenLoss Loss>
class TokenObjective {
 public:
  static constexpr bool uses_divergences = preference::uses_divergences<Loss>;
  static constexpr bool uses_squares = preference::uses_log_sum_squares<Loss>;

  /// Throws Error for a loss that needs a reference without one.
  TokenObjective(std::span<const TokenizedPair>, std::span<const TokenizedPair>, Index, bool has_reference)
      : has_reference_(has_reference) {
    if constexpr (uses_divergences)
      require(has_reference, where, "has_reference must be true for a loss that uses divergences", has_reference);
  }

  /// Reads what the reference says of all pairs.
  template <class Reader, class Read, class Distributions>
  void set_reference(Reader& reader, PairSet& pairs, PairSet& held_out, const Read& log_probabilities,
                     [[maybe_unused]] const Distributions& distributions, Index vocabulary) {
    for (PairSet* set : {&pairs, &held_out}) {
      ReferenceTokens<Scalar>& tokens = set == &pairs ? pairs_ : held_out_;
      tokens.resize(set->sequences, uses_divergences ? vocabulary : 0);
      reader.read_reference(*set, log_probabilities, [&](const auto& values, Index begin) {
        tokens.log_probs.segment(set->sequences.packed().start(2 * begin), values.size()) =
            values.template cast<double>();
        if constexpr (uses_divergences) {
          const auto& found = distributions();
          tokens.distributions.middleCols(tokens.columns[static_cast<std::size_t>(2 * begin)], found.cols()) =
              found.template cast<Scalar>();
        }
      });
    }
  }

  /// Adds the gradient of `share` times the sum of the given pairs' losses, and its figures.
  template <class Reader>
  void add_gradient(Reader& reader, const Loss& loss, const PairSet& set, std::span<const Index> pairs, PairSet& batch,
                    double share, PairFigures& figures) {
    reader.for_parts(pairs, [&](std::span<const Index> part, Index begin) {
      evaluate_part(reader, loss, set, pairs_, part, batch, begin, share, share, figures);
      if constexpr (uses_divergences) reader.step().backward_soft(d_distributions(reader.last(), part, share));
      else reader.step().backward(weights_.reshape(reader.last().size(), 1).col(0));
    });
  }

  /// Loss and metrics of held-out pairs.
  template <class Reader>
  PairFigures evaluate(Reader& reader, const Loss& loss, PairSet& held_out) {
    PairFigures figures{};
    const double share = 1.0 / static_cast<double>(held_out.size());
    reader.for_parts(reader.all(held_out.size()), [&](std::span<const Index> part, Index begin) {
      evaluate_part(reader, loss, held_out, held_out_, part, held_out, begin, share, 0.0, figures);
    });
    return figures;
  }

  template <class Self, class Visit>
  static void visit_state(Self& self, Visit&& visit) {
    visit("pairs", self.pairs_);
    visit("held_out", self.held_out_);
  }

 private:
  static constexpr auto where = "language::PreferenceTraining";

  /// Reads pairs of a set. Adds `share` times the sum of their losses, and their metrics, to the figures; weights of
  /// tokens are `scale` times the derivatives.
  template <class Reader>
  void evaluate_part(Reader& reader, const Loss& loss, const PairSet& set, const ReferenceTokens<Scalar>& reference,
                     std::span<const Index> pairs, PairSet& to, Index first, double share, double scale,
                     PairFigures& figures) {
    const auto log_probabilities = reader.read(set, pairs, to, first);
    const PackedTokens read = reader.last();
    auto log_probs = log_probs_.reshape(read.size(), 1).col(0), d = d_log_probs_.reshape(read.size(), 1).col(0);
    log_probs = log_probabilities.template cast<double>();
    d.setZero();
    read_distributions(reader, reference, pairs);
    auto divergences = divergences_.reshape(uses_divergences ? columns_ : 0, 1).col(0);
    auto d_divergences = d_divergences_.reshape(uses_divergences ? columns_ : 0, 1).col(0);
    auto squares = squares_.reshape(uses_squares ? columns_ : 0, 1).col(0);
    d_divergences.setZero();

    preference::PairLossValue found{
        .metrics = preference::detail::pair_metrics(loss, to.batch(first, std::ssize(pairs), has_reference_))};
    const double one = 1.0 / static_cast<double>(pairs.size());
    Index column = 0;  // of the distributions
    for (Index k = 0; k < std::ssize(pairs); ++k) {
      const Index pair = pairs[static_cast<std::size_t>(k)];
      const auto place = [&](Index of_pair) {
        return read.start(2 * k + of_pair) - read.start(0) + read.prompt(2 * k + of_pair);
      };
      const auto length = [&](Index of_pair) { return read.length(2 * k + of_pair) - read.prompt(2 * k + of_pair); };
      const auto begin = [&](Index of_pair) { return of_pair == 0 ? column : column + length(0); };
      const auto tokens = [&](Index of_pair) {
        preference::ResponseTokens response{.log_probs = log_probs.segment(place(of_pair), length(of_pair))};
        if (has_reference_) {
          const PackedTokens all = set.sequences.packed();
          const Index at = all.start(2 * pair + of_pair) + all.prompt(2 * pair + of_pair);
          response.reference = reference.log_probs.segment(at, length(of_pair));
        }
        if constexpr (uses_divergences) response.divergences = divergences.segment(begin(of_pair), length(of_pair));
        if constexpr (uses_squares) response.log_sum_squares = squares.segment(begin(of_pair), length(of_pair));
        return response;
      };
      const auto derivatives = [&](Index of_pair) {
        return preference::ResponseGradient{
            d.segment(place(of_pair), length(of_pair)),
            uses_divergences ? d_divergences.segment(begin(of_pair), length(of_pair)) : d_divergences.segment(0, 0)};
      };
      preference::TokenPairGradient gradient{derivatives(0), derivatives(1)};
      const double value = loss(preference::TokenPair{tokens(0), tokens(1)}, gradient);
      if (!std::isfinite(value)) throw Error(where, fmt::format("the loss of pair {} must be finite", pair), value);
      found.value += one * value;
      column += length(0) + length(1);
    }
    add(figures, found, share * static_cast<double>(pairs.size()));
    weights_.reshape(read.size(), 1).col(0) = (scale * d).template cast<Scalar>();
  }

  /// What the loss reads of the distributions of what was read last, a number a completion token.
  template <class Reader>
  void read_distributions(Reader& reader, const ReferenceTokens<Scalar>& reference, std::span<const Index> pairs) {
    if constexpr (uses_divergences || uses_squares) {
      const auto& distributions = reader.step().distributions();
      columns_ = distributions.cols();
      auto divergences = divergences_.reshape(uses_divergences ? columns_ : 0, 1);
      auto squares = squares_.reshape(uses_squares ? columns_ : 0, 1);
      for_completion_tokens(reader.last(), [&](Index s, Index t, Index c) {
        if constexpr (uses_divergences)
          divergences(c) =
              divergence(reference.distributions.col(first_column(reference, pairs, s) + t), distributions.col(c));
        if constexpr (uses_squares) squares(c) = preference::log_sum_squared_probs(distributions.col(c));
      });
    }
  }

  /// vocabulary x completion tokens: d L / d log p of each token in their places, that of the tokens there included.
  /// KL = sum_v p_ref (log p_ref - log p).
  auto d_distributions(const PackedTokens& read, std::span<const Index> pairs, double scale) {
    auto all = d_distributions_.reshape(pairs_.distributions.rows(), columns_);
    for_completion_tokens(read, [&](Index s, Index t, Index c) {
      const auto d_divergence = static_cast<Scalar>(scale * d_divergences_.data()[c]);
      all.col(c) = -d_divergence * pairs_.distributions.col(first_column(pairs_, pairs, s) + t).array().exp();
      const Index at = read.start(s) + read.prompt(s) + t;
      all(read.tokens[static_cast<std::size_t>(at)], c) += weights_.data()[at - read.start(0)];
    });
    return all;
  }

  /// Calls body(s, t, c) for token t of each completion s that was read, the c-th of all.
  template <class Body>
  static void for_completion_tokens(const PackedTokens& read, const Body& body) {
    for (Index s = 0, c = 0; s < read.sequences(); ++s)
      for (Index t = 0; t < read.length(s) - read.prompt(s); ++t) body(s, t, c++);
  }
  /// Where the reference's distributions of sequence s, of those that were read, begin.
  static Index first_column(const ReferenceTokens<Scalar>& reference, std::span<const Index> pairs, Index s) {
    const Index in_set = 2 * pairs[static_cast<std::size_t>(s / 2)] + s % 2;
    return reference.columns[static_cast<std::size_t>(in_set)];
  }

  /// sum_v p_v (log p_v - log q_v) of p, the reference's. What p rules out adds nothing.
  template <class P, class Q>
  static double divergence(const P& log_p, const Q& log_q) {
    const double sum = (log_p.template cast<double>().array().exp() *
                        (log_p.template cast<double>() - log_q.template cast<double>()).array())
                           .sum();
    if (std::isfinite(sum)) return sum;
    double careful = 0;
    for (Index v = 0; v < log_p.size(); ++v)
      if (const auto p = static_cast<double>(log_p[v]); std::exp(p) > 0)
        careful += std::exp(p) * (p - static_cast<double>(log_q[v]));
    return careful;
  }

  bool has_reference_;
  ReferenceTokens<Scalar> pairs_, held_out_;
  Buffer<double> log_probs_, d_log_probs_;                // of what was read last: a number a token,
  Buffer<double> divergences_, squares_, d_divergences_;  // and a completion token
  Buffer<Scalar> weights_, d_distributions_;
  Index columns_ = 0;  // completion tokens of what was read last
};

}  // namespace mellow::language::detail
