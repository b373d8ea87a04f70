# SPDX-License-Identifier: Apache-2.0
"""Training steps a second of Stable-Baselines3's DQN on CartPole-v1: the composition of speed/dqn_cart_pole.cpp."""

from measure import report

import torch
from stable_baselines3 import DQN

torch.set_num_threads(1)
agent = DQN(
    "MlpPolicy",
    "CartPole-v1",
    learning_rate=1e-3,
    buffer_size=50_000,
    learning_starts=1_000,
    batch_size=64,
    gamma=0.99,
    train_freq=1,
    gradient_steps=1,
    target_update_interval=250,
    exploration_initial_eps=0.05,  # constant, since a random action costs less than a greedy one
    exploration_final_eps=0.05,
    max_grad_norm=10,
    policy_kwargs={"net_arch": [64, 64]},
    device="cpu",
    seed=0,
)
agent.learn(agent.learning_starts)


def run(steps):
    agent.learn(steps, reset_num_timesteps=False)


report("dqn_cart_pole", "steps/s", run, 250, ["stable-baselines3", "torch"])
