# SPDX-License-Identifier: Apache-2.0
"""Records what tests/environments/golden.cpp replays: Gymnasium's own steps of the classic control environments.

    .venv/bin/python tests/golden/make_traces.py          (scripts/setup --peers brings the venv)

Each file holds a trace of 10 000 steps after one seed (the metadata name it), through the environment's time limit: `actions`; `ends`
(the steps that ended an episode, counted from 1, and 1 for terminated + 2 for truncated); `returns` of the episodes; `firsts`, the first
observation of each; `observations` and `rewards` of the first 500 steps and of every 20th one. Every other episode is steered towards the
goal, so that some terminate. Besides, in double, single steps from given states: `from`, `chosen` (actions), `to`, `earned`, `terminated`.
"""
import pathlib

import gymnasium
import numpy as np
from safetensors.numpy import save_file

SEED, STEPS, DENSE, EVERY, SINGLE = 7, 10_000, 500, 20, 200


def random_states(name, rng):
    """States from everywhere, many of them near limits."""
    low, high = {
        "CartPole-v1": ([-2.5, -3, -0.25, -3], [2.5, 3, 0.25, 3]),
        "MountainCar-v0": ([-1.2, -0.07], [0.6, 0.07]),
        "MountainCarContinuous-v0": ([-1.2, -0.07], [0.6, 0.07]),
        "Acrobot-v1": ([-np.pi, -np.pi, -4 * np.pi, -9 * np.pi], [np.pi, np.pi, 4 * np.pi, 9 * np.pi]),
        "Pendulum-v1": ([-20, -8], [20, 8]),
    }[name]
    states = rng.uniform(low, high, size=(SINGLE, len(low)))
    if "Continuous" in name:  # half of them as the environment itself keeps them
        states[::2] = states[::2].astype(np.float32)
    return states


def steered(name, environment, rng):
    """A random action in one of four steps, else one that swings up or balances."""
    space, state = environment.action_space, environment.unwrapped.state
    if rng.uniform() < 0.25:
        return space.sample()
    if name == "CartPole-v1":
        return int(state[2] + 0.25 * state[3] > 0)
    if name == "Acrobot-v1":
        return 0 if state[2] > 0 else 2
    if name == "MountainCar-v0":
        return 2 if state[1] >= 0 else 0
    return np.array([np.sign(state[1])], dtype=np.float32)


def action(name, environment, steer, rng):
    if steer:
        return steered(name, environment, rng)
    if isinstance(environment.action_space, gymnasium.spaces.Discrete):
        return environment.action_space.sample()
    return rng.uniform(1.25 * environment.action_space.low, 1.25 * environment.action_space.high).astype(np.float32)  # some are clipped


def trace(name, environment):
    rng = np.random.default_rng(SEED)
    environment.action_space.seed(SEED)
    observation, _ = environment.reset(seed=SEED)
    actions, ends, returns, firsts, observations, rewards = [], [], [], [observation], [], []
    total = 0.0
    for i in range(1, STEPS + 1):
        actions.append(action(name, environment, len(ends) % 2 == 1, rng))
        observation, reward, terminated, truncated, _ = environment.step(actions[-1])
        total += reward
        if i <= DENSE or i % EVERY == 0:
            observations.append(observation)
            rewards.append(reward)
        if terminated or truncated:
            ends.append((i, terminated + 2 * truncated))
            returns.append(total)
            total = 0.0
            observation, _ = environment.reset()
            firsts.append(observation)
    return {"actions": np.ravel(actions), "ends": ends, "returns": returns, "firsts": firsts, "observations": observations, "rewards": rewards}


def single_steps(name, environment):
    rng = np.random.default_rng(SEED + 1)
    environment = environment.unwrapped
    states = random_states(name, rng)
    chosen, to, earned, over = [], [], [], []
    for state in states:
        environment.reset(seed=0)
        as_float = "Continuous" in name and (state == state.astype(np.float32)).all()
        environment.state = state.astype(np.float32) if as_float else state.copy()
        chosen.append(action(name, environment, False, rng))
        _, reward, terminated, _, _ = environment.step(chosen[-1])
        to.append(environment.state)
        earned.append(reward)
        over.append(terminated)
    return {"from": states, "chosen": np.ravel(chosen), "to": to, "earned": earned, "terminated": over}


for name in ("CartPole-v1", "MountainCar-v0", "MountainCarContinuous-v0", "Acrobot-v1", "Pendulum-v1"):
    environment = gymnasium.make(name, disable_env_checker=True)
    tensors = {key: np.asarray(value, dtype=np.float32) for key, value in trace(name, environment).items()}
    tensors |= {key: np.asarray(value, dtype=np.float64) for key, value in single_steps(name, environment).items()}
    file = pathlib.Path(__file__).with_name(name.lower().replace("-", "_") + ".safetensors")
    save_file({key: np.ascontiguousarray(value) for key, value in tensors.items()}, file,
              {"gymnasium": gymnasium.__version__, "numpy": np.__version__, "seed": str(SEED)})
    print(name, {key: value.shape for key, value in tensors.items()}, file.stat().st_size)
