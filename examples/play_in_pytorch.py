# SPDX-License-Identifier: Apache-2.0
"""Plays CartPole-v1 in Gymnasium with weights that mellow learned, as a user of PyTorch would, and writes the network's state_dict back.

    build/release/bin/save_and_load --output results/save_and_load
    python examples/play_in_pytorch.py results/save_and_load/weights.safetensors from_pytorch.safetensors
    build/release/bin/save_and_load --weights from_pytorch.safetensors
"""
import sys

import gymnasium
import torch
from safetensors.torch import load_file, save_file

weights = load_file(sys.argv[1])
layers = sorted({int(name.split(".")[0]) for name in weights})
network = torch.nn.Sequential()
for layer in layers:
    outputs, inputs = weights[f"{layer}.weight"].shape
    network.append(torch.nn.Linear(inputs, outputs))
    if layer != layers[-1]:
        network.append(torch.nn.ReLU())
network.load_state_dict(weights)
print(network)

environment = gymnasium.make("CartPole-v1")
returns = []
for seed in range(10):
    observation, _ = environment.reset(seed=seed)
    total, over = 0.0, False
    while not over:
        with torch.no_grad():
            action = int(network(torch.as_tensor(observation)).argmax())
        observation, reward, terminated, truncated, _ = environment.step(action)
        total += reward
        over = terminated or truncated
    returns.append(total)
print("Returns of 10 episodes in Gymnasium:", ", ".join(f"{r:g}" for r in returns))

if len(sys.argv) > 2:
    save_file(network.state_dict(), sys.argv[2])
