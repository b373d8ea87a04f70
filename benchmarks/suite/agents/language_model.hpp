// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>

#include <mellow/language/lora.hpp>

#include "../any_transformer.hpp"
#include "../language_task.hpp"
#include "../settings.hpp"

namespace mellow::suite {

/// A transformer, or an adapter on it.
using TrainedModel = AnyLanguageModel<ThreadedTransformer, language::Lora<ThreadedTransformer>>;

/// What is trained, and where it begins.
struct ModelAtStart {
  ThreadedTransformer transformer;
  Vector<float> weights;  ///< of the transformer
  TrainedModel model;     ///< it, or an adapter
  Vector<float> theta;    ///< of the model

  /// The transformer's weights at parameters of the model.
  Vector<float> weights_at(const Vector<float>& parameters) const;
  /// Writes weights.safetensors at parameters of the model, and adapter.safetensors where it is one.
  void save(const std::filesystem::path& folder, const Vector<float>& parameters) const;
};

/// The numbers of a transformer.
struct LanguageModelConfig {
  std::size_t shape = 0;                 ///< gpt, llama, llama_untied
  language::TransformerOptions sizes{};  ///< vocabulary: the task's
  Index threads = 1;                     ///< that share the work of a run
  std::string weights{};                 ///< where it begins
  double deviation = 0.05;               ///< of what it begins with otherwise
  nn::LowRankOptions lora{.rank = 0};    ///< 0: no adapter
  std::string lora_names{};              ///< with commas between them

  void describe(Settings& settings);
  /// The file of a run's first weights: {seed} stands for its seed; empty: none.
  std::filesystem::path weights_file(std::uint64_t seed) const { return path_of_seed(weights, seed); }
  /// The model for tokens of a vocabulary. Throws Error where its numbers are out of range or the weights do not fit it.
  ModelAtStart make(Index vocabulary, std::uint64_t seed, Rng& rng) const;
};

}  // namespace mellow::suite
