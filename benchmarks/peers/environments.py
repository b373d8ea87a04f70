# SPDX-License-Identifier: Apache-2.0
"""Steps a second of an environment of Gymnasium, or of MinAtar by its registration, under random actions; with a number, of that many vectorised by NumPy.

    environments.py ID [NUMBER]
"""

import sys

from measure import report

import gymnasium

name, number = sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 0
packages = ["gymnasium"]
if name.startswith("MinAtar/"):
    from minatar.gym import register_envs

    register_envs()
    packages.append("minatar")
if number:
    environments = gymnasium.make_vec(name, num_envs=number, vectorization_mode="vector_entry_point")
    environments.action_space.seed(0)
    environments.reset(seed=0)
    batches = [environments.action_space.sample() for _ in range(16)]  # drawn beforehand, as for mellow

    def run(steps):
        for i in range(steps // number):
            environments.step(batches[i % 16])

    report(f"{name}/{number}", "steps/s", run, 128 * number, ["gymnasium", "numpy"])
else:
    environment = gymnasium.make(name)
    environment.action_space.seed(0)
    environment.reset(seed=0)

    def run(steps):
        for _ in range(steps):
            _, _, terminated, truncated, _ = environment.step(environment.action_space.sample())
            if terminated or truncated:
                environment.reset()

    report(name, "steps/s", run, 1000, packages)
