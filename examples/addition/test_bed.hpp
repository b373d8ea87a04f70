// SPDX-License-Identifier: Apache-2.0
// What dpo.cpp, c2_dpo.cpp and squared_po.cpp share. A small transformer learns long addition from a teacher that is often
// wrong; its weights are kept in a folder and taken again. Of what it then samples, a right and a wrong completion of the
// same prompt are a pair. After an alignment: how often samples are right, and what became of the pairs' probability.
#pragma once

#include <algorithm>
#include <filesystem>
#include <string>
#include <vector>

#include <mellow/core/rng.hpp>
#include <mellow/language/long_addition.hpp>
#include <mellow/language/threaded.hpp>
#include <mellow/language/tokenized_pairs.hpp>
#include <mellow/language/transformer.hpp>
#include <mellow/preference/pair_history.hpp>
#include <mellow/tools/command_line.hpp>
#include <mellow/tools/recorder.hpp>
#include <mellow/training/fit.hpp>

struct AdditionOptions {
  mellow::Index steps = 200, supervised_steps = 1'500, digits = 6, prompts = 1'000, threads = 1;
  double learning_rate = 3e-4;
  std::uint64_t seed = 0;
  std::filesystem::path output, supervised = "results/long_addition";

  mellow::CommandLine& add_to(mellow::CommandLine& line);
};

class AdditionTestBed {
 public:
  using Model = mellow::language::Threaded<mellow::language::Transformer<>>;

  explicit AdditionTestBed(const AdditionOptions& options);

  const Model& model() const { return model_; }
  const mellow::Vector<>& theta() const { return theta_; }
  const std::vector<mellow::language::TokenizedPair>& pairs() const { return pairs_; }
  const std::vector<mellow::language::TokenizedPair>& held_out() const { return held_out_; }
  mellow::Index batch() const { return std::min<mellow::Index>(32, std::ssize(pairs_)); }

  /// Four steps, evenly over the alignment.
  std::vector<mellow::Index> quarters() const;
  /// How an alignment is recorded.
  mellow::tools::RecorderOptions recording(const std::string& title) const;
  /// Prints how often samples were right before and are right after, and the displacement; writes its report.
  void report(const mellow::Vector<>& aligned, const mellow::preference::PairHistory& history, double beta) const;

 private:
  /// The weights after the supervised stage, from the folder if they are there.
  mellow::Vector<> supervised();
  std::vector<mellow::language::TokenizedPair> sample_pairs(mellow::Index prompts);
  /// The share of right samples, of 300 prompts that are the same at each call.
  double accuracy(const mellow::Vector<>& theta) const;

  AdditionOptions options_;
  mellow::Rng rng_;
  mellow::language::LongAddition task_;
  mellow::language::Transformer<> transformer_;
  Model model_;
  mellow::Vector<> theta_;
  std::vector<mellow::language::TokenizedPair> pairs_, held_out_;
};
