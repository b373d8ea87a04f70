// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <mellow/core/rng.hpp>
#include <mellow/language/token_sequences.hpp>
#include <mellow/language/tokenized_pairs.hpp>

#include "settings.hpp"

namespace mellow::suite {

/// What a language model learns from, and what is held out.
template <class Data>
struct Split {
  Data data, held_out;
};

struct ModelToSample;  // any_transformer.hpp

/// A language task in one run: its data, drawn from the run's seed or read from a file.
class LanguageTask {
 public:
  virtual ~LanguageTask() = default;
  /// Tokens that there are.
  virtual Index vocabulary() const = 0;
  /// Completions to imitate. Throws Error for one that does not fit the context.
  virtual Split<language::TokenSequences> sequences(Index context, Rng& rng) const = 0;
  /// Preference pairs, for those that must be sampled by a model.
  virtual Split<std::vector<language::TokenizedPair>> pairs(Index context, const ModelToSample& model,
                                                            Rng& rng) const = 0;
  /// How often samples of fresh prompts are right; nothing where that cannot be said.
  virtual std::optional<double> accuracy(const ModelToSample& model, Index prompts, Rng rng) const = 0;
  /// Writes into a run's folder what turns text into its tokens.
  virtual void save_tokenizer(const std::filesystem::path& folder) const = 0;
};

/// Settings that name files which decide a run's results.
inline constexpr const char* file_settings[] = {"env.file", "env.held_out_file", "model.weights"};

/// A path in which {seed} stands for a run's seed.
std::filesystem::path path_of_seed(std::string path, std::uint64_t seed);

/// In a run's folder, how text becomes tokens: its weights go with it.
inline constexpr auto tokenizer_file = "tokenizer.json";

/// The numbers of the tasks for language models.
struct LanguageTaskConfig {
  Index digits = 6;             ///< of long-addition's numbers
  double hard_share = 0.3;      ///< of its table's entries
  Index examples = 20'000;      ///< that are drawn, to be imitated
  Index prompts = 1'300;        ///< of which pairs are sampled
  Index samples = 8;            ///< of each of these
  std::string file{};           ///< JSON lines
  std::string held_out_file{};  ///< the same, to be judged by
  std::size_t tokenizer = 0;    ///< byte, character
  double held_out = 0.1;        ///< share of examples or pairs

  /// Adds those that belong to a task of this name.
  void describe(Settings& settings, std::string_view task);
  /// The task in a run, of completions or of pairs. `weights` are those that it goes on from: their tokeniser is taken;
  /// empty: none. Throws Error for numbers out of range, and for files that cannot be read.
  std::unique_ptr<LanguageTask> make(std::string_view task, std::uint64_t seed, const std::filesystem::path& weights,
                                     bool of_pairs) const;
};

/// The task as an environment.
struct LanguageEnvironment {
  std::string name;
  LanguageTaskConfig config;

  /// It has no state: each run makes its own task.
  template <class Self, class Visit>
  static void visit_state(Self&, Visit&&) {}
};

}  // namespace mellow::suite
