// SPDX-License-Identifier: Apache-2.0
#include "paper.hpp"

#include <utility>

#include <mellow/tools/progress.hpp>

#include "parallel.hpp"

namespace mellow::suite {

Study::Study(std::filesystem::path folder, bool full, Index seeds, Index jobs)
    : folder_(std::move(folder)),
      full_(full),
      seeds_(seeds),
      jobs_(jobs),
      csv_(folder_ / "results.csv", {"experiment", "setting", "run", "metric", "value"}) {}

void Study::each(const std::string& what, Index count, const std::function<void(Index)>& work) const {
  tools::Progress progress(count, {.label = what, .unit = "runs"});
  parallel(count, jobs_, work, [&](Index finished) { progress.update({.step = finished}); });
}

void Study::row(const std::string& experiment, const std::string& setting, Index run, const std::string& metric,
                double value) {
  csv_.row({experiment, setting, run, metric, value});
}

std::vector<Paper> papers() { return {mellowmax(), td_convergence()}; }

}  // namespace mellow::suite
