// SPDX-License-Identifier: Apache-2.0
#include "language_model.hpp"

#include <fmt/format.h>

#include <algorithm>

#include <mellow/nn/initializers.hpp>
#include <mellow/nn/variance_scaling.hpp>
#include <mellow/tools/safetensors.hpp>
#include <mellow/tools/weights.hpp>

namespace mellow::suite {
namespace {

const std::vector<std::string> shapes{"gpt", "llama", "llama_untied"};

AnyTransformer transformer_of(std::size_t shape, const language::TransformerOptions& sizes) {
  if (shape == 1) return AnyTransformer(language::Transformer<float, language::Llama>(sizes));
  if (shape == 2) return AnyTransformer(language::Transformer<float, language::LlamaUntied>(sizes));
  return AnyTransformer(language::Transformer<float, language::Gpt>(sizes));
}

std::vector<std::string> words_of(const std::string& text) {
  std::vector<std::string> words;
  for (std::size_t begin = 0; begin < text.size();) {
    const auto end = std::min(text.find(',', begin), text.size());
    const std::string word = text.substr(begin, end - begin);
    const auto first = word.find_first_not_of(' ');
    words.push_back(first == word.npos ? "" : word.substr(first, word.find_last_not_of(' ') + 1 - first));
    begin = end + 1;
  }
  return words;
}

}  // namespace

Vector<float> ModelAtStart::weights_at(const Vector<float>& parameters) const {
  if (const auto* lora = std::get_if<1>(&model.chosen())) return lora->merged(parameters);
  return parameters;
}

void ModelAtStart::save(const std::filesystem::path& folder, const Vector<float>& parameters) const {
  tools::save_weights(folder / "weights.safetensors", transformer, weights_at(parameters));
  if (model.chosen().index() == 1) tools::save_weights(folder / "adapter.safetensors", model, parameters);
}

void LanguageModelConfig::describe(Settings& settings) {
  settings.add_choice("model", shape, shapes, "the transformer's shape");
  settings.add("model.context", sizes.context, "most tokens of a sequence");
  settings.add("model.width", sizes.width, "of the residual stream, a multiple of heads");
  settings.add("model.layers", sizes.layers, "blocks of attention and feed-forward");
  settings.add("model.heads", sizes.heads, "of attention");
  settings.add("model.key_value_heads", sizes.key_value_heads, "a divisor of heads; 0: heads");
  settings.add("model.hidden", sizes.hidden, "width of the feed-forward part; 0: what is usual for the shape");
  settings.add("model.weights", weights,
               "safetensors to begin with, {seed} standing for the run's seed; empty: drawn at random");
  settings.add("model.deviation", deviation, "standard deviation of what is drawn");
  settings.add("model.threads", threads, "that share the work of a run; the last bits depend on it");
  settings.add("lora.rank", lora.rank, "trains an adapter of this rank on frozen weights; 0: all weights");
  settings.add("lora.alpha", lora.alpha, "updates are multiplied by alpha / rank");
  settings.add("lora.names", lora_names,
               "adapts weights whose name contains one of these, with commas between; empty: all but embeddings");
}

ModelAtStart LanguageModelConfig::make(Index vocabulary, std::uint64_t seed, Rng& rng) const {
  auto options = sizes;
  options.vocabulary = vocabulary;
  require(lora.rank >= 0, "lora.rank", "must not be negative", lora.rank);
  const ThreadedTransformer transformer(transformer_of(shape, options), threads);
  constexpr Index most = Index{1} << 31;
  if (transformer.parameters() > most)
    throw Error("model", fmt::format("must have at most {} parameters; context, width and layers make them", most),
                transformer.parameters());
  if (lora.rank > options.width)
    throw Error("lora.rank", fmt::format("must be at most the model's width of {}", options.width), lora.rank);
  const auto file = weights_file(seed);
  Vector<float> first;
  if (file.empty()) {
    first = nn::initialize(transformer, rng, nn::Normal{.deviation = deviation});
  } else {
    if (!std::filesystem::exists(file)) throw Error("model.weights", "there is no such file", file.string());
    try {
      first = tools::load_weights(file, transformer);
    } catch (const Error& error) {
      throw Error("model.weights",
                  fmt::format("do not fit a {} of {} tokens, context {}, width {}, {} layers, hidden {}: {}",
                              shapes[shape], vocabulary, options.context, options.width, options.layers,
                              options.hidden == 0 ? "as is usual" : fmt::format("{}", options.hidden), error.what()));
    }
  }
  if (lora.rank == 0) return {transformer, first, TrainedModel(transformer), first};
  auto chosen = lora;
  chosen.names = words_of(lora_names);
  const language::Lora adapted(transformer, first, chosen);
  return {transformer, first, TrainedModel(adapted), adapted.initialize(rng)};
}

}  // namespace mellow::suite
