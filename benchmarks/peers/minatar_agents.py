# SPDX-License-Identifier: Apache-2.0
"""Updates a second of deep Q agents on MinAtar's Breakout in eager PyTorch: minatar_agents.py dqn|c51 [plain|fused]

The agents are those of speed/minatar_agents.cpp; `fused` takes Adam's fused kernel, else it is Adam as it comes. Observations are stored as
float32, as most users' code has it; bytes that are converted when they are drawn (`--bytes`) gave the same rates to within what measurements vary.
"""

import argparse

from measure import report

import torch
from torch import nn

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("agent", choices=["dqn", "c51"])
parser.add_argument("adam", nargs="?", choices=["plain", "fused"], default="plain")
parser.add_argument("--bytes", action="store_true", help="store observations as bytes")
options = parser.parse_args()

torch.set_num_threads(1)
torch.manual_seed(0)
batch, actions, discount, stored = 32, 6, 0.99, 10_000
atoms, v_min, v_max = 51, -100.0, 100.0
outputs = actions if options.agent == "dqn" else actions * atoms


def network():
    return nn.Sequential(nn.Conv2d(4, 16, 3), nn.ReLU(), nn.Flatten(), nn.Linear(1024, 128), nn.ReLU(), nn.Linear(128, outputs))


online, target = network(), network()
target.load_state_dict(online.state_dict())
optimizer = torch.optim.Adam(online.parameters(), lr=2.5e-4, fused=True if options.adam == "fused" else None)


def draw_observations():  # a tenth of ones, as in MinAtar
    observations = torch.rand(stored, 4, 10, 10) < 0.1
    return observations.to(torch.uint8) if options.bytes else observations.float()


observations, next_observations = draw_observations(), draw_observations()
chosen = torch.randint(actions, (stored, 1))
rewards = (torch.rand(stored) < 0.05).float()
continues = (torch.rand(stored) > 0.09).float()
support = torch.linspace(v_min, v_max, atoms)
rows = torch.arange(batch)


def look(stored_observations, i):
    drawn = stored_observations[i]
    return drawn.float() if options.bytes else drawn


def dqn_loss(i):
    with torch.no_grad():
        targets = rewards[i] + discount * continues[i] * target(look(next_observations, i)).max(dim=1).values
    values = online(look(observations, i)).gather(1, chosen[i]).squeeze(1)
    return nn.functional.smooth_l1_loss(values, targets)


def c51_loss(i):
    with torch.no_grad():
        distributions = target(look(next_observations, i)).view(batch, actions, atoms).softmax(dim=2)
        best = (distributions * support).sum(dim=2).argmax(dim=1)
        mass = distributions[rows, best]
        returns = rewards[i].unsqueeze(1) + discount * continues[i].unsqueeze(1) * support
        places = (returns.clamp(v_min, v_max) - v_min) / ((v_max - v_min) / (atoms - 1))
        below = places.floor().clamp(max=atoms - 2)
        upper = places - below
        at = below.long()
        labels = torch.zeros(batch, atoms).scatter_add_(1, at, (1 - upper) * mass).scatter_add_(1, at + 1, upper * mass)
    logits = online(look(observations, i)).view(batch, actions, atoms)[rows, chosen[i].squeeze(1)]
    return -(labels * logits.log_softmax(dim=1)).sum(dim=1).mean()


loss_of = dqn_loss if options.agent == "dqn" else c51_loss


def run(updates):
    for _ in range(updates):
        loss = loss_of(torch.randint(stored, (batch,)))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()


report(f"minatar_{options.agent}_update", "updates/s", run, 50, ["torch"])
