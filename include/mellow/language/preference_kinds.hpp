// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <type_traits>

#include <mellow/language/owning_step.hpp>
#include <mellow/language/sum_objective.hpp>
#include <mellow/language/token_objective.hpp>
#include <mellow/language/training_step.hpp>

namespace mellow::language::detail {

/// How a training minimises a loss: by what kind it is.
template <class Scalar, class Loss>
consteval auto objective_of() {
  if constexpr (preference::TokenLoss<Loss>) return std::type_identity<TokenObjective<Scalar, Loss>>{};
  else return std::type_identity<SumObjective<Scalar, Loss>>{};
}

/// What an update does with a model: by which form it has.
template <class Model, class... Parts>
consteval auto step_of() {
  if constexpr (LanguageModel<Model>) return std::type_identity<TrainingStep<Model, Parts...>>{};
  else return std::type_identity<OwningStep<Model>>{};
}

}  // namespace mellow::language::detail
