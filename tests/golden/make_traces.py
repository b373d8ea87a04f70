# SPDX-License-Identifier: Apache-2.0
"""Records what tests/environments/golden.cpp replays: Gymnasium's own steps of the classic control environments.

    .venv/bin/python tests/golden/make_traces.py          (scripts/setup --peers brings the venv)

Each file holds a trace of 10 000 steps after one seed (the metadata name it), through the environment's time limit: `actions`; `ends`
(the steps that ended an episode, counted from 1, and 1 for terminated + 2 for truncated); `returns` of the episodes; `firsts`, the first
observation of each; `observations` and `rewards` of every step. Every other episode is steered towards the goal, so that some terminate.
Besides, in double, single steps from random states: `from`, `chosen` (actions), `to`, `earned`, `terminated`; and the same, under names that
begin with `border_`, from states at walls, goals, limits of velocities and places where angles wrap. `observation_low` and so on are the
bounds of the spaces (of a discrete one, `actions_n` its size), the metadata `limit` and `threshold` what the environment's spec says.
"""
import itertools
import pathlib

import gymnasium
import numpy as np
from safetensors.numpy import save_file

SEED, STEPS, SINGLE = 7, 10_000, 200


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
        observations.append(observation)
        rewards.append(reward)
        if terminated or truncated:
            ends.append((i, terminated + 2 * truncated))
            returns.append(total)
            total = 0.0
            observation, _ = environment.reset()
            firsts.append(observation)
    return {"actions": np.ravel(actions), "ends": ends, "returns": returns, "firsts": firsts, "observations": observations, "rewards": rewards}


def around(*values):
    """The numbers, and the doubles next to each."""
    return [x for value in values for x in (np.nextafter(value, -np.inf), value, np.nextafter(value, np.inf))]


def border_states(name):
    """States from which a step reaches, meets or just misses a border."""
    if name == "CartPole-v1":
        angle = 12 * 2 * np.pi / 360
        at_rest = [(x, 0, 0, 0) for x in around(-2.4, 2.4)] + [(0, 0, a, 0) for a in around(-angle, angle)]
        moving = [(sign * (2.4 - 0.02 * v), sign * v, 0, 0) for sign, v in itertools.product((-1, 1), (0.5, 1, 3))]
        turning = [(0, 0, sign * (angle - 0.02 * w), sign * w) for sign, w in itertools.product((-1, 1), (0.5, 1, 3))]
        return at_rest + moving + turning + [(2.4, 1, angle, 1), (2.4, -1, angle, -1), (-2.4, 1, angle, 1), (3, 0, 0, 0), (0, 0, 1, 0)]
    if name == "Acrobot-v1":
        pi, fast, faster = np.pi, 4 * np.pi, 9 * np.pi
        wraps = list(itertools.product((-pi, pi), (-pi, 0, pi), (-1, 1), (-1, 1))) + list(itertools.product((0, 3), (-pi, pi), (0,), (-3, 3)))
        limits = list(itertools.product((0, 2, -3), (0, 1.5), (-fast, fast), (-faster, faster)))
        # at rest the free end is at the height of the bar plus a link where t1 = 2 pi / 3, t2 = 0
        goals = [(sign * (2 * pi / 3 + d), 0, w, 0) for sign, d, w in itertools.product((-1, 1), (-0.1, -0.01, 0.01, 0.1), (-0.5, 0, 0.5))]
        return wraps + limits + goals + [(pi, 0, 0, 0), (-pi, 0, 0, 0), (0, 0, 0, 0)]
    if name == "Pendulum-v1":
        half_turns = list(itertools.product([k * np.pi for k in (-7, -3, -2, -1, 0, 1, 2, 3, 7)], (-1, 0, 1)))
        limits = list(itertools.product((0, np.pi / 2, -np.pi / 2, np.pi), around(-8, 8) + [-7.9, 7.9, -7.3, 7.3]))
        return half_turns + limits + [(1000.0, 0), (-1000.0, 0)]
    goal = 0.45 if "Continuous" in name else 0.5
    walls = list(itertools.product(around(-1.2) + [-1.19, -1.15, -1.13], (-0.07, -0.05, -0.01, 0, 0.01))) + list(itertools.product((0.6, 0.59), (-0.07, 0, 0.05, 0.07)))
    goals = list(itertools.product(around(goal) + [goal - 0.05, goal - 0.01, goal + 0.01], (-0.05, -0.001, 0, 0.001, 0.01, 0.05, 0.06)))
    limits = list(itertools.product((-0.5, 0.2, -np.pi / 6), around(-0.07, 0.07) + [-0.0695, 0.0695]))
    states = walls + goals + limits
    if "Continuous" in name:  # and as the environment itself keeps them
        states += [tuple(float(np.float32(x)) for x in state) for state in states]
    return states


def border_actions(environment):
    space = environment.action_space
    if isinstance(space, gymnasium.spaces.Discrete):
        return list(range(space.n))
    limit = space.high[0]
    return [np.array([a], dtype=np.float32) for a in (-2.5 * limit, -limit, 0, 0.3, limit, 2.5 * limit)]


def single_steps(name, environment, starts, prefix=""):
    """One step from each of some (state, action)."""
    to, earned, over = [], [], []
    for state, chosen in starts:
        state = np.array(state, dtype=np.float64)
        environment.reset(seed=0)
        as_float = "Continuous" in name and (state == state.astype(np.float32)).all()
        environment.state = state.astype(np.float32) if as_float else state.copy()
        _, reward, terminated, _, _ = environment.step(chosen)
        to.append(environment.state)
        earned.append(reward)
        over.append(terminated)
    states, chosen = zip(*starts)
    steps = {"from": states, "chosen": np.ravel(chosen), "to": to, "earned": earned, "terminated": over}
    return {prefix + key: np.asarray(value, dtype=np.float64) for key, value in steps.items()}


def spaces(environment):
    """Bounds of the spaces."""
    bounds = {"observation_low": environment.observation_space.low, "observation_high": environment.observation_space.high}
    if isinstance(environment.action_space, gymnasium.spaces.Discrete):
        return bounds | {"actions_n": [environment.action_space.n]}
    return bounds | {"action_low": environment.action_space.low, "action_high": environment.action_space.high}


def spec(name):
    """What counts as an episode and as a solution."""
    registered = gymnasium.spec(name)
    return {"limit": str(registered.max_episode_steps), "threshold": str(registered.reward_threshold)}


for name in ("CartPole-v1", "MountainCar-v0", "MountainCarContinuous-v0", "Acrobot-v1", "Pendulum-v1"):
    environment = gymnasium.make(name, disable_env_checker=True)
    tensors = {key: np.asarray(value, dtype=np.float32) for key, value in (trace(name, environment) | spaces(environment)).items()}
    environment, rng = environment.unwrapped, np.random.default_rng(SEED + 1)
    tensors |= single_steps(name, environment, [(state, action(name, environment, False, rng)) for state in random_states(name, rng)])
    tensors |= single_steps(name, environment, list(itertools.product(border_states(name), border_actions(environment))), "border_")
    metadata = {"gymnasium": gymnasium.__version__, "numpy": np.__version__, "seed": str(SEED)} | spec(name)
    if name == "CartPole-v1":
        metadata |= {key + "_v0": value for key, value in spec("CartPole-v0").items()}
    file = pathlib.Path(__file__).with_name(name.lower().replace("-", "_") + ".safetensors")
    save_file({key: np.ascontiguousarray(value) for key, value in tensors.items()}, file, metadata)
    print(name, {key: value.shape for key, value in tensors.items()}, file.stat().st_size)
