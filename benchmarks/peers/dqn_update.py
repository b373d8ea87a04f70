# SPDX-License-Identifier: Apache-2.0
"""DQN updates a second in eager PyTorch: dqn_update.py 64 or 256, the shapes of speed/shapes.hpp."""

import sys

from measure import report

import torch
from torch import nn

torch.set_num_threads(1)
torch.manual_seed(0)
width = int(sys.argv[1])
inputs, actions, batch = {64: (4, 2, 64), 256: (8, 4, 256)}[width]
discount, stored = 0.99, 10_000


def network():
    return nn.Sequential(nn.Linear(inputs, width), nn.ReLU(), nn.Linear(width, width), nn.ReLU(), nn.Linear(width, actions))


online, target = network(), network()
target.load_state_dict(online.state_dict())
optimizer = torch.optim.Adam(online.parameters(), lr=1e-3)

observations, next_observations = torch.randn(stored, inputs), torch.randn(stored, inputs)
chosen = torch.randint(actions, (stored, 1))
rewards = torch.rand(stored)
continues = (torch.rand(stored) > 0.05).float()


def update():
    i = torch.randint(stored, (batch,))
    with torch.no_grad():
        targets = rewards[i] + discount * continues[i] * target(next_observations[i]).max(dim=1).values
    values = online(observations[i]).gather(1, chosen[i]).squeeze(1)
    loss = nn.functional.smooth_l1_loss(values, targets)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()


def run(updates):
    for _ in range(updates):
        update()


report(f"dqn_update_{width}", "updates/s", run, 50, ["torch"])
