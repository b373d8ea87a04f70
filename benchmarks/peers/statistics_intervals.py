# SPDX-License-Identifier: Apache-2.0
"""Bootstrap resamples a second in rliable: intervals of the IQM of four algorithms, as in speed/statistics.cpp."""

from measure import report

import numpy as np
from rliable import library, metrics

RUNS, TASKS, ALGORITHMS, RESAMPLES = 20, 6, 4, 2_000
rng = np.random.default_rng(1)
scores = {str(algorithm): rng.uniform(size=(RUNS, TASKS)) for algorithm in range(ALGORITHMS)}
np.random.seed(0)


def run(resamples):
    library.get_interval_estimates(scores, lambda table: np.array([metrics.aggregate_iqm(table)]), reps=resamples // ALGORITHMS)


report("statistics_iqm", "resamples/s", run, ALGORITHMS * RESAMPLES, ["rliable"])
