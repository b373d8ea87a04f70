# SPDX-License-Identifier: Apache-2.0
"""Writes tabular.safetensors, with which tests/environments/tabular_golden.cpp compares: Gymnasium's toy texts.

    .venv/bin/python tests/golden/make_tabular.py          (scripts/setup --peers brings the venv)

"<name>" holds a row for each outcome of `env.unwrapped.P`: state, action, probability, next state, reward, terminated. "trace" holds a row
for each step of slippery FrozenLake-v1 (without time limit) after one seed: action, next state, whether the episode ended.
"""
import pathlib

import gymnasium
import numpy as np
from safetensors.numpy import save_file

SEED, STEPS = 7, 2000


def outcomes(name, **options):
    p = gymnasium.make(name, **options).unwrapped.P
    rows = [(s, a, *outcome) for s in p for a in p[s] for outcome in p[s][a]]
    return np.array([[float(x) for x in row] for row in rows])


def trace():
    env = gymnasium.make("FrozenLake-v1").unwrapped
    env.reset(seed=SEED)
    actions = np.random.default_rng(0).integers(0, 4, STEPS)
    rows = []
    for action in actions:
        state, _, terminated, _, _ = env.step(int(action))
        rows.append([action, state, terminated])
        if terminated:
            env.reset()
    return np.array(rows, dtype=np.float32)


save_file(
    {
        "frozen_lake_4x4_slippery": outcomes("FrozenLake-v1"),
        "frozen_lake_4x4": outcomes("FrozenLake-v1", is_slippery=False),
        "frozen_lake_8x8_slippery": outcomes("FrozenLake-v1", map_name="8x8"),
        "frozen_lake_8x8": outcomes("FrozenLake-v1", map_name="8x8", is_slippery=False),
        "cliff_walking": outcomes("CliffWalking-v1"),
        "trace": trace(),
    },
    pathlib.Path(__file__).parent / "tabular.safetensors",
    metadata={"gymnasium": gymnasium.__version__, "seed": str(SEED)},
)
