# SPDX-License-Identifier: Apache-2.0
"""Records what tests/environments/minatar_golden.cpp replays: the MinAtar package's own steps, by its Gymnasium registration.

    .venv/bin/python tests/golden/make_minatar.py          (scripts/setup --peers brings the venv)

For each id, such as `MinAtar/Breakout-v0`, a trace of 10 000 steps after reset(seed=7): `actions`; `checksums`, after each step the lowest
byte of the FNV-1a hash (64 bits) over all observations so far, as bytes in the package's order, each step's followed by its reward and
whether it terminated, a byte each; `hash`, the last of these whole; `ends`, the steps that ended an episode, counted from 1; `returns` of the
episodes. Every other episode is played with some skill, so that rare things happen. The metadata name versions and seed, and for each id
what its spec says of a limit of steps.
"""
import pathlib
from importlib.metadata import version as version_of

import gymnasium
import numpy as np
from minatar.gym import register_envs
from safetensors.numpy import save_file

SEED, STEPS = 7, 10_000
GAMES = ["Asterix", "Breakout", "Freeway", "Seaquest", "SpaceInvaders"]
LEFT, UP, RIGHT, DOWN, FIRE = 1, 2, 3, 4, 5
MINIMAL = {"Asterix": [0, 1, 2, 3, 4], "Breakout": [0, 1, 3], "Freeway": [0, 2, 4], "Seaquest": [0, 1, 2, 3, 4, 5], "SpaceInvaders": [0, 1, 3, 5]}


def places(observation, channel):
    """Rows and columns of a channel's things."""
    return np.argwhere(observation[:, :, channel])


def towards(here, there):
    """A button that leads from a cell to another; the row first."""
    (y, x), (to_y, to_x) = here, there
    return UP if to_y < y else DOWN if to_y > y else LEFT if to_x < x else RIGHT if to_x > x else 0


def nearest(here, cells):
    return min(cells, key=lambda cell: np.abs(cell - here).sum())


def shooting(observation, x, rng):
    """A button that shoots aliens and avoids their bullets: 1 to 3 steps ahead of a column there must be none."""
    danger = observation[6:9, :, 5].any(axis=0)
    safe = [to for to in (x, x - 1, x + 1) if 0 <= to < 10 and not danger[to]]
    columns = np.flatnonzero(observation[:, :, 1].any(axis=0))
    aim = min(columns, key=lambda column: abs(column - x)) if rng.uniform() < 0.7 else rng.choice(columns)
    to = min(safe or [x], key=lambda column: abs(column - aim))
    return FIRE if to == x else LEFT if to < x else RIGHT


def skilled(game, observation, rng):
    """A button that makes rare things happen."""
    here = places(observation, 0)[0]
    if game == "Freeway":
        return UP
    if game == "Breakout":
        return towards((0, here[1]), (0, places(observation, 1)[0][1]))
    if game == "Asterix":
        gold = places(observation, 3)
        return towards(here, nearest(here, gold)) if len(gold) else rng.integers(6)
    if game == "SpaceInvaders":
        return shooting(observation, here[1], rng)
    oxygen, aboard, divers = observation[9, :, 7].sum(), observation[9, :, 8].sum(), places(observation, 9)
    if rng.uniform() < 0.3:
        return FIRE
    if aboard and (oxygen <= 3 or aboard == 6):
        return UP
    return towards(here, nearest(here, divers)) if len(divers) else rng.choice([LEFT, RIGHT, DOWN])


class Hash:
    """FNV-1a, 64 bits."""

    def __init__(self):
        self.value = 0xCBF29CE484222325

    def add(self, data):
        for byte in data:
            self.value = (self.value ^ byte) * 0x100000001B3 % 2**64


def trace(game, environment, minimal):
    buttons = MINIMAL[game] if minimal else list(range(6))
    assert environment.action_space.n == len(buttons)
    rng, hashed = np.random.default_rng(SEED), Hash()
    actions, checksums, ends, returns = [], [], [], []
    total = 0
    observation, _ = environment.reset(seed=SEED)
    hashed.add(observation.tobytes())
    for i in range(1, STEPS + 1):
        button = skilled(game, observation, rng) if len(ends) % 2 == 0 and rng.uniform() < 0.9 else rng.choice(buttons)
        actions.append(buttons.index(button) if button in buttons else 0)
        observation, reward, terminated, truncated, _ = environment.step(actions[-1])
        assert not truncated
        total += int(reward)
        hashed.add(observation.tobytes() + bytes([int(reward), terminated]))
        checksums.append(hashed.value % 256)
        if terminated:
            ends.append(i)
            returns.append(total)
            total = 0
            observation, _ = environment.reset()
            hashed.add(observation.tobytes())
    return {
        "actions": np.array(actions, dtype=np.uint8), "checksums": np.array(checksums, dtype=np.uint8), "hash": np.array([hashed.value], dtype=np.uint64),
        "ends": np.array(ends, dtype=np.int32), "returns": np.array(returns, dtype=np.int32),
    }


register_envs()
tensors, metadata = {}, {"gymnasium": gymnasium.__version__, "minatar": version_of("MinAtar"), "numpy": np.__version__, "seed": str(SEED)}
for game in GAMES:
    for version in (0, 1):
        name = f"MinAtar/{game}-v{version}"
        found = trace(game, gymnasium.make(name, disable_env_checker=True), version == 1)
        tensors |= {f"{name}/{key}": value for key, value in found.items()}
        metadata[f"{name}/limit"] = str(gymnasium.spec(name).max_episode_steps)
        print(name, len(found["ends"]), "episodes, best", found["returns"].max(initial=0))
file = pathlib.Path(__file__).with_name("minatar.safetensors")
save_file(tensors, file, metadata)
print(file.stat().st_size)
