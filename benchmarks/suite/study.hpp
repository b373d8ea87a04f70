// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include <mellow/core/types.hpp>

namespace mellow::suite {

/// What a run found: a number by name, finite or NaN.
struct Figure {
  std::string metric;
  double value;
};

using Figures = std::vector<Figure>;

/// A number of figures by its name. Throws Error where there is none.
double figure(const Figures& figures, std::string_view metric);

/// A run of a study: one setting of an experiment, once.
struct Run {
  std::string experiment;  ///< "long addition"
  std::string setting;     ///< what is compared: "DPO"
  Index number = 0;        ///< of the run, which is its seed too
  std::string
      identity{};  ///< all else that its figures depend on: sizes, rates, steps; "beta 0.1, 8 epochs of 32 pairs"
  std::function<Figures()> work{};  ///< gives the figures; the same each time, whichever thread it is called in
};

/// What a study is asked for, and where it keeps what.
struct StudyOptions {
  std::filesystem::path folder;  ///< for results and plots
  std::filesystem::path kept;    ///< for the figures of runs, as they end; studies may share it
  std::filesystem::path from{};  ///< results.csv of an earlier study, whose figures are taken; empty: runs are made
  bool complete = false;         ///< runs that `from` lacks are made
  std::string build{};           ///< what the program is, down to its bytes: what another one kept is not taken
  bool any_build = false;        ///< it is taken
  bool full = false;             ///< the scale
  Index seeds = 0;               ///< runs of each setting; 0: as many as the scale says
  Index jobs = 1;                ///< runs at a time
};

/// What a reproduction is asked for, and where its results go.
///
/// Results do not depend on `jobs`: each run has a generator of its own, made from its number. What a run of `measure`
/// gave is kept when it ends, and taken when it is asked for again, so that a study that was killed goes on.
class Study {
 public:
  /// Throws Error where `from` is given and holds no results.
  explicit Study(StudyOptions options);

  bool full() const { return options_.full; }  ///< the paper's own scale, or minutes on two cores
  /// Whether every figure comes from earlier results.
  bool reads_only() const { return !options_.from.empty() && !options_.complete; }
  /// Whether the runs of an experiment of this name are to be made, or there are earlier results of it.
  bool has(const std::string& experiment) const;
  /// The same of a setting of it.
  bool has(const std::string& experiment, const std::string& setting) const;
  /// How many runs of each setting: what was asked for, or the scale's number.
  Index seeds(Index quick, Index full) const;
  /// The same of an experiment whose runs are measured: of earlier results, as many as they hold.
  Index seeds(const std::string& experiment, Index quick, Index full) const;
  /// A number that only the scale decides.
  Index scaled(Index quick, Index full) const { return options_.full ? full : quick; }
  const std::filesystem::path& folder() const { return options_.folder; }  ///< for plots, named after the experiment
  const std::filesystem::path& from() const { return options_.from; }      ///< earlier results; empty: none

  /// The figures of runs, in the runs' order: those that are kept, or are in the earlier results, are taken; the others
  /// are worked out in `jobs` threads, with progress on stderr, and kept as each ends. Adds them to the results. Ends
  /// early, with Interrupted, on Ctrl-C; the runs that ended are in the results then. The first exception of a run is
  /// thrown again. Throws Error where two runs have the same experiment, setting and number, where earlier results lack
  /// a run and are not to be completed, and for a figure that is infinite.
  std::vector<Figures> measure(const std::string& what, const std::vector<Run>& runs);

  /// A file that a run keeps: its figures, or what other runs go on from (weights).
  struct Kept {
    std::filesystem::path path;
    bool there;        ///< whether it can be taken
    bool other_build;  ///< whether another build kept one
  };
  /// Where a run keeps such a file, its name ending in `extension`. Write it whole or not at all.
  Kept kept(const Run& run, std::string_view extension) const;

  /// Calls `work(i)` for i = 0 .. count - 1, in `jobs` threads, and says on stderr how far it is. For work of seconds:
  /// nothing is kept. Ends early, with Interrupted, on Ctrl-C. The first exception of `work` is thrown again. Throws
  /// Error for a study of earlier results.
  void each(const std::string& what, Index count, const std::function<void(Index)>& work) const;

  /// Adds a row to the results: what one run of one setting gave.
  void row(const std::string& experiment, const std::string& setting, Index run, const std::string& metric,
           double value);

  /// Writes results.csv and removes partial.csv, which is what a study that was interrupted writes. Until then an earlier
  /// one stays. A partial.csv that has other runs as well, of another scale or paper, stays: an interrupted study writes
  /// partial-2.csv beside it.
  std::filesystem::path finish(bool interrupted = false) const;

 private:
  std::optional<Figures> read(const Run& run) const;
  void write(const Run& run, const Figures& figures) const;
  std::optional<Figures> earlier(const Run& run) const;
  bool covers(const std::filesystem::path& table) const;  ///< whether a table has no runs but those of this study

  StudyOptions options_;
  std::map<std::tuple<std::string, std::string, Index>, Figures> earlier_;  // by experiment, setting, run
  struct Row {
    std::string experiment, setting;
    Index run;
    std::string metric;
    double value;
  };
  std::vector<Row> rows_;
};

/// What tells this program from every other: a build's description and a checksum of the program's own bytes.
std::string program_identity(std::string_view build_description);

}  // namespace mellow::suite
