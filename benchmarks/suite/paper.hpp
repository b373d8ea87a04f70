// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include <mellow/core/types.hpp>
#include <mellow/statistics/estimate.hpp>

namespace mellow::suite {

/// Whether a paper's claim shows here.
enum class Verdict { Holds, DoesNotHold, NotTestable };

/// A claim of a paper, beside what was found.
struct Claim {
  std::string claim;                       ///< one sentence that can be true or false
  std::string paper;                       ///< the paper's figure, in its own words: "0 of 200"; "none given"
  std::string measured;                    ///< what `ours` is: "difference of the spreads of Q(s1, b)"
  statistics::Estimate ours;               ///< with a 95 % interval; of no width where nothing is random
  Verdict verdict = Verdict::NotTestable;  ///< by the criterion of the paper's page in docs/papers
  std::string note{};                      ///< where a reader should know more
};

/// What a reproduction is asked for, and where its results go.
///
/// Results do not depend on `jobs`: each run has a generator of its own, made from its number.
class Study {
 public:
  /// `seeds` = 0: as many as the scale says.
  Study(std::filesystem::path folder, bool full, Index seeds, Index jobs);

  bool full() const { return full_; }  ///< the paper's own scale, or minutes on two cores
  /// How many runs of each setting: what was asked for, or the scale's number.
  Index seeds(Index quick, Index full) const { return seeds_ > 0 ? seeds_ : full_ ? full : quick; }
  /// A number that only the scale decides.
  Index scaled(Index quick, Index full) const { return full_ ? full : quick; }
  const std::filesystem::path& folder() const {
    return folder_;
  }  ///< for plots, whose names begin with the experiment's

  /// Calls `work(i)` for i = 0 .. count - 1, in `jobs` threads, and says on stderr how far it is. Ends early, with
  /// Interrupted, on Ctrl-C. The first exception of `work` is thrown again.
  void each(const std::string& what, Index count, const std::function<void(Index)>& work) const;

  /// Adds a row to the results: what one run of one setting gave.
  void row(const std::string& experiment, const std::string& setting, Index run, const std::string& metric,
           double value);

  /// Writes results.csv. Until then an earlier one stays.
  void finish() const;

 private:
  std::filesystem::path folder_;
  bool full_;
  Index seeds_, jobs_;
  struct Row {
    std::string experiment, setting;
    Index run;
    std::string metric;
    double value;
  };
  std::vector<Row> rows_;
};

/// A paper whose claims the suite can test.
struct Paper {
  std::string name;                                     ///< by which it is asked for: "mellowmax"
  std::string title;                                    ///< of the paper, with authors and year
  std::function<std::vector<Claim>(Study&)> reproduce;  ///< runs its experiments, draws plots into the study's folder
};

/// @{
/// The papers, each in benchmarks/papers/<name>.cpp.
Paper c2_dpo();
Paper mellowmax();
Paper squared_po();
Paper td_convergence();
/// @}

/// All of them, by name.
std::vector<Paper> papers();

}  // namespace mellow::suite
