# SPDX-License-Identifier: Apache-2.0
"""Forward and backward passes a second of MinAtar's network in eager PyTorch, batch 32: speed_convolution's."""

from measure import report

import torch
from torch import nn

torch.set_num_threads(1)
torch.manual_seed(0)
network = nn.Sequential(nn.Conv2d(4, 16, 3), nn.ReLU(), nn.Flatten(), nn.Linear(1024, 128), nn.ReLU(), nn.Linear(128, 6))
observations = (torch.rand(32, 4, 10, 10) < 0.1).float()
d_values = torch.randn(32, 6)


def run(passes):
    for _ in range(passes):
        network.zero_grad()
        network(observations).backward(d_values)


report("minatar_network", "passes/s", run, 50, ["torch"])
