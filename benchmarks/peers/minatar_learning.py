# SPDX-License-Identifier: Apache-2.0
"""The published DQN (Young & Tian 2019) in PyTorch on MinAtar's own games: its learning curve, to hold `reproduce minatar` against.

Prints the mean return of the training episodes that end in each twentieth of the frames, as CSV. Settings: docs/papers/minatar.md.
A million frames take most of an hour on one core.
"""

import argparse

import measure  # noqa: F401  (one thread, before numpy and torch)

import numpy
import torch
from minatar import Environment
from torch import nn

RATES = {"breakout": 2**-9, "asterix": 2**-13, "space_invaders": 2**-12}

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("game", choices=RATES)
parser.add_argument("--frames", type=int, default=1_000_000)
parser.add_argument("--seed", type=int, default=0)
options = parser.parse_args()

capacity, starts, batch, discount, actions, parts = 100_000, 5_000, 32, 0.99, 6, 20
torch.set_num_threads(1)
torch.manual_seed(options.seed)
rng = numpy.random.default_rng(options.seed)
game = Environment(options.game)
game.seed(options.seed)
channels = game.state_shape()[2]


def network():
    return nn.Sequential(nn.Conv2d(channels, 16, 3), nn.ReLU(), nn.Flatten(), nn.Linear(1024, 128), nn.ReLU(), nn.Linear(128, actions))


online, target = network(), network()
target.load_state_dict(online.state_dict())
optimizer = torch.optim.RMSprop(online.parameters(), lr=RATES[options.game], alpha=0.95, eps=0.01, centered=True)

states = numpy.zeros((capacity, channels, 10, 10), dtype=bool)
next_states = numpy.zeros_like(states)
chosen = numpy.zeros(capacity, dtype=numpy.int64)
rewards = numpy.zeros(capacity, dtype=numpy.float32)
continues = numpy.zeros(capacity, dtype=numpy.float32)


def observe():
    return game.state().transpose(2, 0, 1)


def epsilon(frame):
    return 1.0 if frame < starts else max(0.1, 1 - 0.9 * (frame - starts) / 100_000)


def update(stored):
    i = rng.integers(stored, size=batch)
    with torch.no_grad():
        best = target(torch.from_numpy(next_states[i].astype(numpy.float32))).max(dim=1).values
        targets = torch.from_numpy(rewards[i]) + discount * torch.from_numpy(continues[i]) * best
    values = online(torch.from_numpy(states[i].astype(numpy.float32))).gather(1, torch.from_numpy(chosen[i]).unsqueeze(1)).squeeze(1)
    loss = nn.functional.smooth_l1_loss(values, targets)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()


print("part,episodes,mean_return", flush=True)
returns, earned, updates, part = [], 0.0, 0, 0
game.reset()
state = observe()
for frame in range(options.frames):
    if rng.random() < epsilon(frame):
        action = int(rng.integers(actions))
    else:
        with torch.no_grad():
            action = int(online(torch.from_numpy(state[None].astype(numpy.float32))).argmax())
    reward, ended = game.act(action)
    earned += reward
    place = frame % capacity
    states[place], chosen[place], rewards[place], continues[place] = state, action, reward, not ended
    state = observe()
    next_states[place] = state
    if ended:
        returns.append(earned)
        earned = 0.0
        game.reset()
        state = observe()
    if frame >= starts:
        update(min(frame + 1, capacity))
        updates += 1
        if updates % 1_000 == 0:
            target.load_state_dict(online.state_dict())
    if (frame + 1) * parts // options.frames > part:
        print(f"{part},{len(returns)},{numpy.mean(returns) if returns else float('nan'):.4f}", flush=True)
        returns, part = [], part + 1
