# SPDX-License-Identifier: Apache-2.0
"""Writes the numbers that tests/language/preference_training.cpp compares with: the first steps of a DPO run in PyTorch, in double.

    .venv/bin/python tests/golden/make_dpo_run.py          (scripts/setup --peers brings the venv)

The model is make_transformer.py's GPT; the loss is that of trl's DPOTrainer (`sigmoid`): log-probabilities summed over the tokens of the
completion, -logsigmoid(beta ((l_w - r_w) - (l_l - r_l))), mean over the batch, which is all pairs at each step; then clip_grad_norm_ and
torch.optim.AdamW. dpo_run.safetensors: the model's first state_dict; "tokens" of each pair's chosen and rejected sequence, one after the
other, "starts" and "given" (lengths of prompts); "loss", "gradient_norm" (before clipping), "accuracy" and "margin" of each step.
"""
import pathlib

import torch
from safetensors.torch import save_file
from torch.nn import functional as F

from make_transformer import CONTEXT, VOCABULARY, Gpt

PAIRS, STEPS, BETA, LEARNING_RATE, MAX_NORM = 8, 5, 0.5, 1e-2, 1.0

torch.manual_seed(2)
model = Gpt()
for p in model.parameters():
    p.data = (0.3 * p.data + 0.3 * torch.randn_like(p)).float().double()
start = {name: p.detach().clone() for name, p in model.named_parameters()}

sequences, given = [], []
for _ in range(PAIRS):
    prompt = torch.randint(VOCABULARY, (int(torch.randint(1, 6, ())),))
    for _ in range(2):
        sequences.append(torch.cat([prompt, torch.randint(VOCABULARY, (int(torch.randint(1, CONTEXT - len(prompt) + 1, ())),))]))
        given.append(len(prompt))


def log_probs():
    """Of each pair's chosen and rejected completion."""
    sums = []
    for tokens, prompt in zip(sequences, given):
        log_p = model(tokens[:-1]).log_softmax(dim=-1).gather(1, tokens[1:, None])[:, 0]
        sums.append(log_p[prompt - 1 :].sum())
    return torch.stack(sums).view(PAIRS, 2).unbind(1)


with torch.no_grad():
    reference_chosen, reference_rejected = log_probs()
optimizer = torch.optim.AdamW(model.parameters(), lr=LEARNING_RATE, weight_decay=0.0)
found = {"loss": [], "gradient_norm": [], "accuracy": [], "margin": []}
for _ in range(STEPS):
    chosen, rejected = log_probs()
    chosen_log_ratio, rejected_log_ratio = chosen - reference_chosen, rejected - reference_rejected
    loss = -F.logsigmoid(BETA * (chosen_log_ratio - rejected_log_ratio)).mean()
    optimizer.zero_grad()
    loss.backward()
    found["loss"].append(loss.detach())
    found["gradient_norm"].append(torch.nn.utils.clip_grad_norm_(model.parameters(), MAX_NORM))
    found["accuracy"].append((chosen_log_ratio > rejected_log_ratio).double().mean())
    found["margin"].append(BETA * (chosen_log_ratio - rejected_log_ratio).mean().detach())
    optimizer.step()

starts = [0]
for tokens in sequences:
    starts.append(starts[-1] + len(tokens))
tensors = {"tokens": torch.cat(sequences), "starts": torch.tensor(starts), "given": torch.tensor(given)}
tensors.update({name: torch.stack(values) for name, values in found.items()}, **start)
save_file({name: x.contiguous() for name, x in tensors.items()}, pathlib.Path(__file__).with_name("dpo_run.safetensors"),
          {"torch": torch.__version__})
print({name: [round(float(x), 6) for x in values] for name, values in found.items()})
