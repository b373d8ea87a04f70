# SPDX-License-Identifier: Apache-2.0
"""Pairs a second of a preference loss in eager PyTorch, value, gradient and trl's metrics: preference.py dpo or squared_po, and how many pairs,
as in speed/preference.cpp. The expressions are those of trl's DPOTrainer."""

import sys

from measure import report

import torch
import torch.nn.functional as F

torch.set_num_threads(1)
torch.manual_seed(0)
name, pairs = sys.argv[1], int(sys.argv[2])
beta = 0.1

chosen, rejected = (-60 + 20 * torch.rand(pairs) for _ in range(2))
reference_chosen, reference_rejected = (x - 2 + 4 * torch.rand(pairs) for x in (chosen, rejected))
chosen.requires_grad_()
rejected.requires_grad_()
score = {"dpo": lambda a: a, "squared_po": lambda a: a * torch.exp(torch.clamp(-a, max=50.0))}[name]


def step():
    chosen.grad = rejected.grad = None
    chosen_ratios, rejected_ratios = chosen - reference_chosen, rejected - reference_rejected
    loss = -F.logsigmoid(beta * (score(chosen_ratios) - score(rejected_ratios))).mean()
    loss.backward()
    with torch.no_grad():
        chosen_rewards, rejected_rewards = beta * chosen_ratios.detach(), beta * rejected_ratios.detach()
        return [loss.item(), chosen_rewards.mean().item(), rejected_rewards.mean().item(), (chosen_rewards - rejected_rewards).mean().item(),
                (chosen_rewards > rejected_rewards).float().mean().item(), chosen.mean().item(), rejected.mean().item()]


def run(number):
    for _ in range(number // pairs):
        step()


report(f"preference_{name}/{pairs}", "pairs/s", run, pairs * max(1, 10_000 // pairs), ["torch"])
