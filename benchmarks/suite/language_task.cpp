// SPDX-License-Identifier: Apache-2.0
#include "language_task.hpp"

#include <algorithm>
#include <array>
#include <concepts>
#include <numeric>
#include <utility>
#include <variant>

#include <mellow/core/error.hpp>
#include <mellow/language/byte_tokenizer.hpp>
#include <mellow/language/character_tokenizer.hpp>
#include <mellow/language/long_addition.hpp>
#include <mellow/language/sampled_pairs.hpp>
#include <mellow/language/tokenized_examples.hpp>
#include <mellow/tools/atomic_file.hpp>
#include <mellow/tools/preference_pairs.hpp>
#include <mellow/tools/supervised_examples.hpp>

#include "any_transformer.hpp"
#include "json.hpp"

namespace mellow::suite {
namespace {

namespace fs = std::filesystem;
using language::LongAddition;
using language::TokenizedPair;
using language::TokenSequences;

/// How many of n are held out.
Index held_out_of(Index n, double share) {
  const auto held_out = static_cast<Index>(share * static_cast<double>(n));
  return share > 0 && n > 1 ? std::max<Index>(held_out, 1) : held_out;
}

/// Long addition; the table of its teacher is the seed's.
class AdditionTask final : public LanguageTask {
 public:
  AdditionTask(const LanguageTaskConfig& config, std::uint64_t seed) : config_(config), task_(table(config, seed)) {}

  Index vocabulary() const override { return task_.vocabulary_size(); }

  Split<TokenSequences> sequences(Index context, Rng& rng) const override {
    require_context(context);
    Split<TokenSequences> split;
    const Index held_out = held_out_of(config_.examples, config_.held_out);
    for (Index i = 0; i < config_.examples; ++i) {
      const auto prompt = task_.prompt(rng);
      (i < held_out ? split.held_out : split.data).add(prompt, task_.teacher_completion(prompt, rng));
    }
    return split;
  }

  Split<std::vector<TokenizedPair>> pairs(Index context, const ModelToSample& model, Rng& rng) const override {
    require_context(context);
    auto sampler = sampler_of(model);
    const auto pairs = language::sample_pairs(sampler, model.weights, task_,
                                              {.prompts = config_.prompts, .samples = config_.samples}, rng);
    if (pairs.size() < 2)
      throw Error("long-addition",
                  "too few prompts have a right and a wrong completion; a model that was trained for longer "
                  "(model.weights) or more env.prompts give more",
                  pairs.size());
    const auto held_out = held_out_of(std::ssize(pairs), config_.held_out);
    return {{pairs.begin(), pairs.end() - held_out}, {pairs.end() - held_out, pairs.end()}};
  }

  std::optional<double> accuracy(const ModelToSample& model, Index count, Rng rng) const override {
    auto sampler = sampler_of(model);
    return language::share_right(sampler, model.weights, task_, {.prompts = count, .samples = 1}, rng);
  }

  void save_tokenizer(const fs::path& folder) const override {
    tools::write_file_atomically(folder / tokenizer_file,
                                 Json{{"type", "long-addition"}, {"digits", task_.digits()}}.dump(2) + "\n");
  }

 private:
  static LongAddition table(const LanguageTaskConfig& config, std::uint64_t seed) {
    Rng rng(seed);
    return LongAddition(rng, {.digits = config.digits, .hard_share = config.hard_share});
  }

  void require_context(Index context) const {
    const Index length = task_.prompt_length() + task_.completion_length();
    if (length > context)
      throw Error("model.context",
                  fmt::format("must hold the {} tokens of an addition of {} digits", length, task_.digits()), context);
  }

  language::Sampler<ThreadedTransformer> sampler_of(const ModelToSample& model) const {
    return language::Sampler(model.transformer, {.new_tokens = task_.completion_length(), .stop = {LongAddition::eos}});
  }

  LanguageTaskConfig config_;
  LongAddition task_;
};

/// A tokeniser that is chosen by name.
using AnyTokenizer = std::variant<language::ByteTokenizer, language::CharacterTokenizer>;
constexpr std::array tokenizer_names{"byte", "character"};

/// The tokeniser that a run's folder holds; nothing where there is none.
std::optional<AnyTokenizer> load_tokenizer(const fs::path& path) {
  const auto json = read_json(path);
  if (!json) return std::nullopt;
  try {
    const std::string type = json->at("type");
    if (type == "byte") return language::ByteTokenizer{};
    if (type == "character") return language::CharacterTokenizer(json->at("alphabet").get<std::string>());
    throw Error(path.string(), "belongs to weights that do not read text", type);
  } catch (const Json::exception& error) {
    throw Error(path.string(), fmt::format("is no tokeniser: {}", error.what()));
  }
}

/// The examples of a file, completions or pairs, in an order that is the same for all runs.
template <class Example>
class FileTask final : public LanguageTask {
 public:
  FileTask(const LanguageTaskConfig& config, const fs::path& weights)
      : split_(load(config)), tokenizer_(tokenizer_for(config, weights)) {}

  Index vocabulary() const override {
    return std::visit([](const auto& tokenizer) { return tokenizer.vocabulary_size(); }, tokenizer_);
  }

  Split<TokenSequences> sequences(Index context, Rng&) const override {
    if constexpr (std::same_as<Example, data::SupervisedExample>)
      return tokenized<TokenSequences>([&](const auto& some, const auto& tokenizer) {
        return language::tokenize_examples(some, tokenizer, context);
      });
    else throw Error("json-lines", "its pairs are not to be imitated");
  }

  Split<std::vector<TokenizedPair>> pairs(Index context, const ModelToSample&, Rng&) const override {
    if constexpr (std::same_as<Example, data::PreferencePair>)
      return tokenized<std::vector<TokenizedPair>>([&](const auto& some, const auto& tokenizer) {
        return language::tokenize_pairs(std::span<const Example>(some), tokenizer, context);
      });
    else throw Error("json-lines", "its examples are no pairs");
  }

  std::optional<double> accuracy(const ModelToSample&, Index, Rng) const override { return std::nullopt; }

  void save_tokenizer(const fs::path& folder) const override {
    Json json{{"type", tokenizer_names[tokenizer_.index()]}};
    if (const auto* characters = std::get_if<language::CharacterTokenizer>(&tokenizer_))
      json["alphabet"] = characters->alphabet();
    tools::write_file_atomically(folder / tokenizer_file, json.dump(2) + "\n");
  }

 private:
  static std::vector<Example> read(const fs::path& path) {
    if constexpr (std::same_as<Example, data::PreferencePair>) {
      auto pairs = tools::load_preference_pairs(path);
      if (std::ranges::all_of(pairs, [](const Example& pair) { return pair.chosen == pair.rejected; }))
        throw Error(path.string(), "teaches nothing: chosen and rejected are the same in every pair", pairs.size());
      return pairs;
    } else {
      return tools::load_supervised_examples(path);
    }
  }

  static Split<std::vector<Example>> load(const LanguageTaskConfig& config) {
    if (config.file.empty()) throw Error("--data", "is missing: the file of the environment json-lines");
    std::vector<Example> all = read(config.file);
    if (!config.held_out_file.empty()) return {std::move(all), read(config.held_out_file)};
    std::vector<Index> order(all.size());
    std::iota(order.begin(), order.end(), Index{0});
    Rng rng(0);  // whatever the run's seed, so that all are judged by the same
    rng.shuffle(std::span(order));
    Split<std::vector<Example>> split;
    const auto held_out = static_cast<std::size_t>(held_out_of(std::ssize(all), config.held_out));
    for (std::size_t i = 0; i < all.size(); ++i)
      (i < held_out ? split.held_out : split.data).push_back(std::move(all[static_cast<std::size_t>(order[i])]));
    return split;
  }

  /// That of the weights; where there is none, a new one, of all characters of the examples.
  AnyTokenizer tokenizer_for(const LanguageTaskConfig& config, const fs::path& weights) const {
    const fs::path beside = weights.parent_path() / tokenizer_file;
    if (!weights.empty()) {
      if (auto tokenizer = load_tokenizer(beside)) {
        if (tokenizer->index() != config.tokenizer)
          throw Error(beside.string(),
                      fmt::format("the weights beside it are of another tokeniser: set env.tokenizer={}",
                                  tokenizer_names[tokenizer->index()]),
                      tokenizer_names[static_cast<std::size_t>(config.tokenizer)]);
        return *std::move(tokenizer);
      } else if (config.tokenizer == 1 && fs::exists(weights)) {
        throw Error(beside.string(), "is missing: the alphabet of the characters that the weights beside it know");
      }
    }
    if (config.tokenizer == 0) return language::ByteTokenizer{};
    std::vector<std::string> texts;
    for (const auto* some : {&split_.data, &split_.held_out})
      for (const Example& example : *some) {
        texts.push_back(example.prompt);
        if constexpr (std::same_as<Example, data::PreferencePair>) {
          texts.push_back(example.chosen);
          texts.push_back(example.rejected);
        } else {
          texts.push_back(example.completion);
        }
      }
    return language::CharacterTokenizer::of(texts);
  }

  template <class Tokens, class Tokenize>
  Split<Tokens> tokenized(const Tokenize& tokenize) const {
    return std::visit(
        [&](const auto& tokenizer) -> Split<Tokens> {
          return {tokenize(split_.data, tokenizer), tokenize(split_.held_out, tokenizer)};
        },
        tokenizer_);
  }

  Split<std::vector<Example>> split_;
  AnyTokenizer tokenizer_;
};

}  // namespace

fs::path path_of_seed(std::string path, std::uint64_t seed) {
  constexpr std::string_view place = "{seed}";
  for (auto at = path.find(place); at != path.npos; at = path.find(place, at))
    path.replace(at, place.size(), fmt::format("{}", seed));
  return path;
}

void LanguageTaskConfig::describe(Settings& settings, std::string_view task) {
  if (task == "long-addition") {
    settings.add("digits", digits, "of each number");
    settings.add("hard_share", hard_share, "of the table of additions, where the teacher guesses");
    settings.add("examples", examples, "of the teacher, to be imitated");
    settings.add("prompts", prompts, "of which the model samples preference pairs: a right completion and a wrong one");
    settings.add("samples", samples, "of each of these prompts");
  } else {
    settings.add("file", file, "JSON lines of prompt, completion; of text; of prompt, chosen, rejected: --data");
    settings.add("held_out_file", held_out_file, "the same, to be judged by; empty: a share of the file");
    settings.add_choice("tokenizer", tokenizer, {tokenizer_names.begin(), tokenizer_names.end()},
                        "how text becomes tokens");
  }
  settings.add("held_out", held_out, "share that is not learned from, to be judged by");
}

std::unique_ptr<LanguageTask> LanguageTaskConfig::make(std::string_view task, std::uint64_t seed,
                                                       const fs::path& weights, bool of_pairs) const {
  require(held_out >= 0 && held_out < 1, "env.held_out", "must lie in [0, 1)", held_out);
  if (task != "long-addition") {
    if (of_pairs) return std::make_unique<FileTask<data::PreferencePair>>(*this, weights);
    return std::make_unique<FileTask<data::SupervisedExample>>(*this, weights);
  }
  require(examples > 0, "env.examples", "must be positive", examples);
  require(prompts > 0, "env.prompts", "must be positive", prompts);
  require(samples > 1, "env.samples", "must be at least 2, for a pair", samples);
  return std::make_unique<AdditionTask>(*this, seed);
}

}  // namespace mellow::suite
