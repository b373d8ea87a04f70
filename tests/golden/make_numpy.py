# SPDX-License-Identifier: Apache-2.0
"""Records what tests/core/numpy_generator.cpp compares with: NumPy's own seeding and draws.

    .venv/bin/python tests/golden/make_numpy.py          (scripts/setup --peers brings the venv)

Seed i is `seeds_words[i, :seeds_size[i]]`, 32-bit words from the lowest. For each: `sequence`, the four words of SeedSequence; `raw`, the
first outputs of PCG64; `uniform`, the first doubles; `mixed`, whole numbers below `ranges` in turn, before every third of which a double is
drawn: `between`.
"""
import pathlib

import numpy as np
from safetensors.numpy import save_file

SEEDS = [0, 1, 42, 2**32 - 1, 2**32, 2**32 + 1, 123_456_789_012_345, 2**63, 2**64 - 1,  # up to two words
         2**64, 2**95 + 12_345, 2**128 - 1, 2**128, 2**160 + 7, int("123456789" * 9)]     # three and more
# Of few numbers; of a power of two, where none is refused; where a quarter, a third, half of the words are refused; and the largest.
RANGES = [2, 3, 10, 1, 2**16, 1_000_003, 3 * 2**30, 2**32 // 3 * 2, 2**31 + 1, 2**31, 2**32 - 1]
DRAWS = 99


def words(seed):
    split = [seed >> shift & 0xFFFFFFFF for shift in range(0, max(seed.bit_length(), 1), 32)]
    return split + [0] * (max(map(int.bit_length, SEEDS)) // 32 + 1 - len(split)), len(split)


def draws(seed):
    rng = np.random.default_rng(seed)
    mixed, between = [], []
    for i in range(DRAWS):
        if i % 3 == 2:
            between.append(rng.random())
        mixed.append(rng.integers(RANGES[i % len(RANGES)]))
    return mixed, between


tensors = {
    "seeds_words": np.array([words(seed)[0] for seed in SEEDS], dtype=np.int64),
    "seeds_size": np.array([words(seed)[1] for seed in SEEDS], dtype=np.int64),
    "ranges": np.array(RANGES, dtype=np.int64),
    "sequence": np.array([np.random.SeedSequence(seed).generate_state(4, np.uint64) for seed in SEEDS]),
    "raw": np.array([np.random.PCG64(seed).random_raw(4) for seed in SEEDS]),
    "uniform": np.array([np.random.default_rng(seed).uniform(-0.6, -0.4, 4) for seed in SEEDS]),
    "mixed": np.array([draws(seed)[0] for seed in SEEDS], dtype=np.int64),
    "between": np.array([draws(seed)[1] for seed in SEEDS]),
}
file = pathlib.Path(__file__).with_name("numpy.safetensors")
save_file(tensors, file, {"numpy": np.__version__})
print({key: value.shape for key, value in tensors.items()}, file.stat().st_size)
