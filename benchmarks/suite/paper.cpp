// SPDX-License-Identifier: Apache-2.0
#include "paper.hpp"

#include <utility>

#include <mellow/tools/csv.hpp>
#include <mellow/tools/interrupt.hpp>
#include <mellow/tools/progress.hpp>

#include "parallel.hpp"

namespace mellow::suite {

Study::Study(std::filesystem::path folder, bool full, Index seeds, Index jobs)
    : folder_(std::move(folder)), full_(full), seeds_(seeds), jobs_(jobs) {}

void Study::each(const std::string& what, Index count, const std::function<void(Index)>& work) const {
  tools::Progress progress(count, {.label = what, .unit = "runs"});
  const bool all = parallel(count, jobs_, work, [&](Index finished) { progress.update({.step = finished}); });
  if (!all || tools::Interrupt::requested()) throw Interrupted("nothing was kept; a reproduction begins anew");
}

void Study::row(const std::string& experiment, const std::string& setting, Index run, const std::string& metric,
                double value) {
  rows_.push_back({experiment, setting, run, metric, value});
}

void Study::finish() const {
  tools::CsvWriter csv(folder_ / "results.csv", {"experiment", "setting", "run", "metric", "value"});
  for (const Row& row : rows_) csv.row({row.experiment, row.setting, row.run, row.metric, row.value});
  csv.finish();
}

std::vector<Paper> papers() { return {c2_dpo(), mellowmax(), squared_po(), td_convergence()}; }

}  // namespace mellow::suite
