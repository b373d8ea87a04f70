# SPDX-License-Identifier: Apache-2.0
"""Writes the numbers that tests/language/golden.cpp compares with: those of transformers made of PyTorch's own layers, in double.

    .venv/bin/python tests/golden/make_transformer.py          (scripts/setup --peers brings the venv)

transformer_gpt.safetensors, transformer_llama.safetensors, transformer_llama_untied.safetensors: a state_dict, named as nanoGPT's and as
Hugging Face's LlamaForCausalLM's; "tokens" of sequences of unequal length, one after the other, and "starts"; "log_distributions", those
of every token but a sequence's first; "weights" and "gradient.<name>" of the sum of weights times log-probabilities.
"""
import pathlib

import torch
from safetensors.torch import save_file
from torch import nn
from torch.nn import functional as F

torch.set_default_dtype(torch.float64)
LENGTHS = [7, 1, 12, 2, 9]
VOCABULARY, CONTEXT, LAYERS = 11, 12, 2


def heads_of(x, width):
    return x.view(x.shape[0], -1, width).transpose(0, 1)


def attend(q, k, v):
    y = F.scaled_dot_product_attention(q[None], k[None], v[None], is_causal=True, enable_gqa=True)[0]
    return y.transpose(0, 1).reshape(y.shape[1], -1)


class GptBlock(nn.Module):
    def __init__(self, width, hidden):
        super().__init__()
        self.ln_1, self.ln_2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.attn = nn.ModuleDict({"c_attn": nn.Linear(width, 3 * width), "c_proj": nn.Linear(width, width)})
        self.mlp = nn.ModuleDict({"c_fc": nn.Linear(width, hidden), "c_proj": nn.Linear(hidden, width)})

    def forward(self, x):
        q, k, v = (heads_of(y, 4) for y in self.attn.c_attn(self.ln_1(x)).split(x.shape[1], dim=1))
        x = x + self.attn.c_proj(attend(q, k, v))
        return x + self.mlp.c_proj(F.gelu(self.mlp.c_fc(self.ln_2(x))))


class Gpt(nn.Module):
    def __init__(self, width=12, hidden=20):
        super().__init__()
        self.transformer = nn.ModuleDict({"wte": nn.Embedding(VOCABULARY, width), "wpe": nn.Embedding(CONTEXT, width),
                                          "h": nn.ModuleList(GptBlock(width, hidden) for _ in range(LAYERS)), "ln_f": nn.LayerNorm(width)})
        self.lm_head = nn.Linear(width, VOCABULARY, bias=False)

    def forward(self, tokens):
        x = self.transformer.wte(tokens) + self.transformer.wpe.weight[: len(tokens)]
        for block in self.transformer.h:
            x = block(x)
        return self.lm_head(self.transformer.ln_f(x))


def rotate(x, base=100.0):  # x of heads x tokens x width; halves are pairs, as in Hugging Face's rotate_half
    width = x.shape[2]
    angles = torch.arange(x.shape[1])[:, None] * base ** (-torch.arange(0, width, 2) / width)
    cos, sin = angles.cos().repeat(1, 2), angles.sin().repeat(1, 2)
    return x * cos + torch.cat([-x[..., width // 2 :], x[..., : width // 2]], dim=-1) * sin


class LlamaBlock(nn.Module):
    def __init__(self, width, hidden, head, keys):
        super().__init__()
        self.head = head
        plain = lambda n_in, n_out: nn.Linear(n_in, n_out, bias=False)
        self.input_layernorm, self.post_attention_layernorm = nn.RMSNorm(width, eps=1e-5), nn.RMSNorm(width, eps=1e-5)
        self.self_attn = nn.ModuleDict({"q_proj": plain(width, width), "k_proj": plain(width, keys * head),
                                        "v_proj": plain(width, keys * head), "o_proj": plain(width, width)})
        self.mlp = nn.ModuleDict({"gate_proj": plain(width, hidden), "up_proj": plain(width, hidden), "down_proj": plain(hidden, width)})

    def forward(self, x):
        z = self.input_layernorm(x)
        q, k, v = (heads_of(self.self_attn[name](z), self.head) for name in ("q_proj", "k_proj", "v_proj"))
        x = x + self.self_attn.o_proj(attend(rotate(q), rotate(k), v))
        z = self.post_attention_layernorm(x)
        return x + self.mlp.down_proj(F.silu(self.mlp.gate_proj(z)) * self.mlp.up_proj(z))


class Llama(nn.Module):
    def __init__(self, tied, width=24, hidden=20, head=4, keys=2):
        super().__init__()
        self.model = nn.ModuleDict({"embed_tokens": nn.Embedding(VOCABULARY, width),
                                    "layers": nn.ModuleList(LlamaBlock(width, hidden, head, keys) for _ in range(LAYERS)),
                                    "norm": nn.RMSNorm(width, eps=1e-5)})
        if not tied:
            self.lm_head = nn.Linear(width, VOCABULARY, bias=False)

    def forward(self, tokens):
        x = self.model.embed_tokens(tokens)
        for block in self.model["layers"]:
            x = block(x)
        head = self.lm_head.weight if hasattr(self, "lm_head") else self.model.embed_tokens.weight
        return F.linear(self.model.norm(x), head)


def make(name, model):
    for p in model.parameters():  # normalisations off 1, biases off 0
        p.data = (0.3 * p.data + 0.3 * torch.randn_like(p)).float().double()
    tokens = torch.randint(VOCABULARY, (sum(LENGTHS),))
    starts = [0]
    for length in LENGTHS:
        starts.append(starts[-1] + length)
    weights = torch.randn(sum(LENGTHS)).float().double()
    log_distributions, total = [], 0.0
    for begin, end in zip(starts, starts[1:]):
        if end - begin > 1:
            log_p = model(tokens[begin : end - 1]).log_softmax(dim=-1)
            log_distributions.append(log_p)
            total = total + (weights[begin + 1 : end] * log_p.gather(1, tokens[begin + 1 : end, None])[:, 0]).sum()
    total.backward()
    tensors = {"tokens": tokens, "starts": torch.tensor(starts), "weights": weights, "log_distributions": torch.cat(log_distributions)}
    for key, p in model.named_parameters():
        tensors[key] = p
        tensors["gradient." + key] = p.grad
    save_file({key: x.detach().clone().contiguous() for key, x in tensors.items()}, pathlib.Path(__file__).with_name(f"{name}.safetensors"),
              {"torch": torch.__version__})


if __name__ == "__main__":
    torch.manual_seed(1)
    make("transformer_gpt", Gpt())
    make("transformer_llama", Llama(tied=True))
    make("transformer_llama_untied", Llama(tied=False))
