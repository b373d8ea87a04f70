# SPDX-License-Identifier: Apache-2.0
"""Tokens a second of a small decoder-only transformer in eager PyTorch: transformer.py train|sample small|large [threads], the shapes of
speed/transformer.cpp. Attention is PyTorch's fused scaled_dot_product_attention; sampling keeps keys and values."""

import os
import sys

from measure import report

threads = int(sys.argv[3]) if len(sys.argv) > 3 else 1
for library in ("OMP", "MKL", "OPENBLAS"):
    os.environ[f"{library}_NUM_THREADS"] = str(threads)

import torch
from torch import nn
from torch.nn import functional as F

torch.set_num_threads(threads)
torch.manual_seed(0)
task, size = sys.argv[1:3]
vocabulary = 25
width, layers, heads, context, tokens, batch = {"small": (64, 2, 4, 64, 45, 32), "large": (128, 4, 4, 128, 128, 16)}[size]


class Block(nn.Module):
    def __init__(self):
        super().__init__()
        self.ln_1, self.ln_2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.c_attn, self.c_proj = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.mlp = nn.Sequential(nn.Linear(width, 4 * width), nn.GELU(), nn.Linear(4 * width, width))

    def forward(self, x, cache=None):
        n, t, _ = x.shape
        q, k, v = (y.view(n, t, heads, width // heads).transpose(1, 2) for y in self.c_attn(self.ln_1(x)).split(width, dim=2))
        if cache is not None:  # keys and values of all positions, written in place
            begin = cache[2]
            cache[0][:, :, begin : begin + t], cache[1][:, :, begin : begin + t] = k, v
            cache[2] += t
            k, v = cache[0][:, :, : begin + t], cache[1][:, :, : begin + t]
        y = F.scaled_dot_product_attention(q, k, v, is_causal=t > 1)
        x = x + self.c_proj(y.transpose(1, 2).reshape(n, t, width))
        return x + self.mlp(self.ln_2(x))


class Gpt(nn.Module):
    def __init__(self):
        super().__init__()
        self.wte, self.wpe = nn.Embedding(vocabulary, width), nn.Embedding(context, width)
        self.h = nn.ModuleList(Block() for _ in range(layers))
        self.ln_f, self.lm_head = nn.LayerNorm(width), nn.Linear(width, vocabulary, bias=False)

    def forward(self, tokens, caches=None):
        begin = 0 if caches is None else caches[0][2]
        x = self.wte(tokens) + self.wpe.weight[begin : begin + tokens.shape[1]]
        for i, block in enumerate(self.h):
            x = block(x, None if caches is None else caches[i])
        if caches is not None:
            x = x[:, -1:]
        return self.lm_head(self.ln_f(x))


model = Gpt()
optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
data = torch.randint(vocabulary, (batch, tokens))


def train():
    log_probs = F.log_softmax(model(data[:, :-1]), dim=-1).gather(2, data[:, 1:, None])
    loss = -log_probs.mean()
    optimizer.zero_grad()
    loss.backward()
    nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    optimizer.step()


prompt_tokens, new_tokens, sequences = 20, 25, 128
prompts = torch.randint(vocabulary, (sequences, prompt_tokens))


@torch.no_grad()
def sample():
    shape = (sequences, heads, prompt_tokens + new_tokens, width // heads)
    caches = [[torch.empty(shape), torch.empty(shape), 0] for _ in range(layers)]
    new, chosen, scores = prompts, [], []
    for _ in range(new_tokens):
        log_probs = F.log_softmax(model(new, caches)[:, -1], dim=-1)
        new = torch.multinomial(log_probs.exp(), 1)
        chosen.append(new)
        scores.append(log_probs.gather(1, new))
    return torch.cat(chosen, 1), torch.cat(scores, 1)


step, amount = {"train": (train, tokens * batch), "sample": (sample, new_tokens * sequences)}[task]


def run(number):
    for _ in range(number // amount):
        step()


if task == "sample":  # nothing is differentiated
    model.requires_grad_(False)
report(f"transformer_{task}_{size}", "tokens/s", run, amount * 5, ["torch"])
