# SPDX-License-Identifier: Apache-2.0
"""Steps a second of Gymnasium's CartPole-v1 under random actions."""

from measure import report

import gymnasium

environment = gymnasium.make("CartPole-v1")
environment.action_space.seed(0)
environment.reset(seed=0)


def run(steps):
    for _ in range(steps):
        _, _, terminated, truncated, _ = environment.step(environment.action_space.sample())
        if terminated or truncated:
            environment.reset()


report("cart_pole", "steps/s", run, 1000, ["gymnasium"])
