// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <tuple>
#include <utility>
#include <variant>
#include <vector>

#include <mellow/core/language_model.hpp>
#include <mellow/tools/weights.hpp>

namespace mellow::suite {

/// A language model that is one of several, chosen at run time: it hands every call to the one that it holds, so that a
/// training is compiled once for all of them.
template <class... Models>
class AnyLanguageModel {
  using Values = Eigen::Map<const Vector<float>>;
  using Distributions = Eigen::Map<const Matrix<float>, 0, Eigen::OuterStride<>>;

 public:
  using Scalar = float;

  /// Those of all of them; one is in use.
  class Tape {
    friend class AnyLanguageModel;
    std::tuple<typename Models::Tape...> of_;
  };

  class Cache {
    friend class AnyLanguageModel;
    using Of = std::variant<typename Models::Cache...>;
    explicit Cache(Of of) : of_(std::move(of)) {}
    Of of_;

   public:
    Index sequences() const {
      return std::visit([](const auto& cache) -> Index { return cache.sequences(); }, of_);
    }
    Index length(Index i) const {
      return std::visit([&](const auto& cache) -> Index { return cache.length(i); }, of_);
    }
    void truncate(Index i, Index length) {
      std::visit([&](auto& cache) { cache.truncate(i, length); }, of_);
    }
    void fork(Index from, Index to) {
      std::visit([&](auto& cache) { cache.fork(from, to); }, of_);
    }
    void copy(const Cache& other, Index from, Index to) {
      std::visit([&]<class C>(C& cache) { cache.copy(std::get<C>(other.of_), from, to); }, of_);
    }
  };

  template <class Model>
    requires(!std::same_as<std::remove_cvref_t<Model>, AnyLanguageModel>)
  explicit AnyLanguageModel(Model model) : chosen_(std::move(model)) {}

  const std::variant<Models...>& chosen() const { return chosen_; }
  Index vocabulary() const {
    return std::visit([](const auto& model) -> Index { return model.vocabulary(); }, chosen_);
  }
  Index context() const {
    return std::visit([](const auto& model) -> Index { return model.context(); }, chosen_);
  }
  Index parameters() const {
    return std::visit([](const auto& model) -> Index { return model.parameters(); }, chosen_);
  }
  std::vector<Segment> segments() const {
    return std::visit([](const auto& model) { return std::vector<Segment>(model.segments()); }, chosen_);
  }
  auto architecture() const
    requires(tools::HasArchitecture<Models> && ...)
  {
    return std::visit([](const auto& model) { return model.architecture(); }, chosen_);
  }

  Values log_probabilities(const ConstVectorRef<float>& theta, const PackedTokens& packed, Tape& tape) const {
    return with_chosen([&](const auto& model, auto number) -> Values {
      const auto& found = model.log_probabilities(theta, packed, std::get<number()>(tape.of_));
      return {found.data(), found.size()};
    });
  }
  void backward(const ConstVectorRef<float>& theta, Tape& tape, const ConstVectorRef<float>& weights,
                VectorRef<float> gradient) const {
    with_chosen([&](const auto& model, auto number) {
      model.backward(theta, std::get<number()>(tape.of_), weights, gradient);
    });
  }
  Distributions log_distributions(Tape& tape) const {
    return with_chosen(
        [&](const auto& model, auto number) { return view(model.log_distributions(std::get<number()>(tape.of_))); });
  }
  void backward_soft(const ConstVectorRef<float>& theta, Tape& tape, const ConstMatrixRef<float>& d_log_distributions,
                     VectorRef<float> gradient) const {
    with_chosen([&](const auto& model, auto number) {
      model.backward_soft(theta, std::get<number()>(tape.of_), d_log_distributions, gradient);
    });
  }
  Cache make_cache(Index n) const {
    return with_chosen([&](const auto& model, auto number) {
      return Cache(typename Cache::Of(std::in_place_index<number()>, model.make_cache(n)));
    });
  }
  Distributions next_logits(const ConstVectorRef<float>& theta, const PackedTokens& packed, Cache& cache) const {
    return with_chosen([&](const auto& model, auto number) {
      return view(model.next_logits(theta, packed, *std::get_if<number()>(&cache.of_)));
    });
  }

 private:
  template <class Found>
  static Distributions view(const Found& found) {
    return {found.data(), found.rows(), found.cols(), Eigen::OuterStride<>(found.outerStride())};
  }

  /// Calls `call(model, number)` with the model that was chosen and its number as a compile-time constant.
  template <std::size_t I = 0, class Call>
  decltype(auto) with_chosen(const Call& call) const {
    if constexpr (I + 1 == sizeof...(Models)) {
      return call(*std::get_if<I>(&chosen_), std::integral_constant<std::size_t, I>());
    } else {
      if (chosen_.index() != I) return with_chosen<I + 1>(call);
      return call(*std::get_if<I>(&chosen_), std::integral_constant<std::size_t, I>());
    }
  }

  std::variant<Models...> chosen_;
};

}  // namespace mellow::suite
