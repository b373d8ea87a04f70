# SPDX-License-Identifier: Apache-2.0
"""Writes the numbers that tests/statistics/golden.cpp compares with: rliable's and SciPy's, in double.

    .venv/bin/python tests/golden/make_rliable.py          (scripts/setup --peers brings the venv; takes a quarter of an hour)

rliable.safetensors: tables of scores "scores.<name>", runs x tasks: x, y, z (fewer runs), tied and coarse (many equal scores). Of each,
"<statistic>.<name>": value, low, high of mean, median_of_task_means, iqm, optimality_gap; "improvement.<name>.<name>" the same of two.
"tau"; "profile.x" and "mean_profile.x": rows share, low, high. Samples of one task "sample.<k>"; rows of "welch": k, l, t, degrees, p;
of "permutation" and "paired": k, l, p, of all permutations. Rows of "incomplete_beta": a, b, x, value.
"""
import importlib.metadata
import pathlib

import numpy as np
from rliable import library, metrics
from safetensors.numpy import save_file
from scipy import special, stats

RESAMPLES = 50_000
tensors = {}


def scores():
    rng = np.random.default_rng(1)
    difficulty = rng.uniform(0.2, 1.2, size=6)
    x = difficulty * rng.gamma(4.0, 0.25, size=(20, 6))
    y = difficulty * rng.gamma(9.0, 0.125, size=(20, 6))
    return {"x": x, "y": y, "z": x[:13] ** 2 + 0.1, "tied": np.round(4 * x) / 4, "coarse": np.round(4 * y) / 4}


def interval(function, *tables):
    """value, low, high, each of the shape that the function returns."""
    np.random.seed(1)  # rliable draws from NumPy's global generator
    data = tables[0] if len(tables) == 1 else list(tables)
    value, bounds = library.get_interval_estimates({"": data}, function, reps=RESAMPLES)
    return np.vstack([np.atleast_1d(value[""]), bounds[""]])


def aggregates(tables):
    for name, table in tables.items():
        tensors[f"scores.{name}"] = table
        found = interval(lambda s: np.array([metrics.aggregate_mean(s), metrics.aggregate_median(s), metrics.aggregate_iqm(s),
                                             metrics.aggregate_optimality_gap(s, gamma=0.8)]), table)
        for column, statistic in enumerate(["mean", "median_of_task_means", "iqm", "optimality_gap"]):
            tensors[f"{statistic}.{name}"] = found[:, column]
    for one, other in [("x", "y"), ("y", "z"), ("tied", "coarse")]:
        found = interval(lambda a, b: np.array([metrics.probability_of_improvement(a, b)]), tables[one], tables[other])
        tensors[f"improvement.{one}.{other}"] = found[:, 0]
    tau = tensors["tau"] = np.linspace(0.0, 2.0, 21)
    tensors["profile.x"] = interval(lambda s: library.score_distributions(s, tau), tables["x"])
    tensors["mean_profile.x"] = interval(lambda s: library.average_score_distributions(s, tau), tables["x"])


def tests():
    rng = np.random.default_rng(2)
    samples = [rng.normal(0, 1, 8), rng.normal(0.7, 2, 8), rng.normal(3, 0.1, 10), rng.exponential(1, 10),
               rng.normal(0, 1, 300), rng.normal(0.1, 3, 2), np.array([1.0, 2, 2, 3, 1, 2]), np.array([2.0, 3, 3, 2, 1, 2])]
    for k, sample in enumerate(samples):
        tensors[f"sample.{k}"] = sample
    pairs = [(k, l) for k in range(len(samples)) for l in range(k)]

    def welch(k, l):
        found = stats.ttest_ind(samples[k], samples[l], equal_var=False)
        return [k, l, found.statistic, found.df, found.pvalue]

    def permutation(k, l, kind):
        def apart(a, b, axis):
            return np.abs(np.mean(a, axis=axis) - np.mean(b, axis=axis))

        found = stats.permutation_test((samples[k], samples[l]), apart, permutation_type=kind, n_resamples=np.inf,
                                       alternative="greater", vectorized=True, batch=10_000)
        return [k, l, found.pvalue]

    tensors["welch"] = np.array([welch(k, l) for k, l in pairs])
    tensors["permutation"] = np.array([permutation(k, l, "independent") for k, l in [(1, 0), (3, 2), (5, 0), (7, 6), (3, 0)]])
    tensors["paired"] = np.array([permutation(k, l, "samples") for k, l in [(1, 0), (3, 2), (7, 6)]])

    shapes = [0.01, 0.5, 1, 3.7, 9.9, 10, 11, 47, 950.5, 5e4]
    grid = np.array([(a, b, x) for a in shapes for b in shapes for x in [1e-9, 0.01, 0.3, 0.5, 0.77, 0.99, a / (a + b)]])
    values = special.betainc(*grid.T)
    kept = values > 1e-200
    tensors["incomplete_beta"] = np.column_stack([grid, values])[kept]


if __name__ == "__main__":
    tests()
    aggregates(scores())
    versions = {package: importlib.metadata.version(package) for package in ["rliable", "scipy", "arch", "numpy"]}
    save_file({key: np.ascontiguousarray(value, dtype=np.float64) for key, value in tensors.items()},
              pathlib.Path(__file__).with_name("rliable.safetensors"), versions)
