# SPDX-License-Identifier: Apache-2.0
"""Writes what tests/nn/convolution_golden.cpp and tests/value/head_golden.cpp compare with: PyTorch's own numbers, in double.

    .venv/bin/python tests/golden/make_convolution.py          (scripts/setup --peers brings the venv)

convolution_*.safetensors: a state_dict of a network of Conv2d, Flatten and Linear, or of one Conv2d; "input" and "output" (images as batch x
height x width x channels, channels innermost), the mean squared output as "loss", and its gradients ("gradient.<name>", "gradient.input").
noisy.safetensors: means, deviations and noise of a noisy layer, with output and gradients by PyTorch's autograd.
heads.safetensors: logits and quantiles of online and target network, transitions with weights, and for the categorical and the quantile loss
the loss, each sample's own, and its gradient in the outputs; for the loss of similar actions, whose outputs are values, the same with errors
in place of losses. Inputs are float32 numbers.
"""
import pathlib

import torch
from safetensors.torch import save_file
from torch import nn
from torch.nn import functional as F

torch.set_default_dtype(torch.float64)
BATCH = 3


def single(x):
    return x.detach().float().double()


def save(name, tensors):
    save_file({key: value.detach().clone().contiguous() for key, value in tensors.items()},
              pathlib.Path(__file__).with_name(f"{name}.safetensors"), {"torch": torch.__version__})


def make_network(name, network, shape, seed):
    """`shape` is channels, height, width of the input."""
    torch.manual_seed(seed)
    start = {key: single(torch.randn_like(value) * 0.3) for key, value in network.state_dict().items()}
    network.load_state_dict(start)
    x = single(torch.randn(BATCH, *shape)).requires_grad_()
    y = network(x)
    loss = (y**2).mean()
    loss.backward()
    innermost = lambda image: image.permute(0, 2, 3, 1) if image.dim() == 4 else image
    tensors = dict(start, input=innermost(x), output=innermost(y), loss=loss)
    tensors["gradient.input"] = innermost(x.grad)
    tensors.update({f"gradient.{key}": value.grad for key, value in network.named_parameters()})
    save(name, tensors)


def make_noisy():
    torch.manual_seed(3)
    inputs, outputs = 5, 4
    leaves = {"weight_mu": torch.randn(outputs, inputs), "bias_mu": torch.randn(outputs), "weight_sigma": torch.rand(outputs, inputs),
              "bias_sigma": torch.rand(outputs), "input": torch.randn(BATCH, inputs)}
    leaves = {key: single(value).requires_grad_() for key, value in leaves.items()}
    noise_in, noise_out = (single(e.sign() * e.abs().sqrt()) for e in (torch.randn(inputs), torch.randn(outputs)))
    y = F.linear(leaves["input"], leaves["weight_mu"] + leaves["weight_sigma"] * torch.outer(noise_out, noise_in),
                 leaves["bias_mu"] + leaves["bias_sigma"] * noise_out)
    loss = (y**2).mean()
    loss.backward()
    save("noisy", dict(leaves, output=y, loss=loss, noise_in=noise_in, noise_out=noise_out,
                       **{f"gradient.{key}": value.grad for key, value in leaves.items()}))


def make_heads():
    torch.manual_seed(4)
    actions, size, batch, low, high = 3, 11, 12, -2.0, 2.0
    taken = torch.randint(actions, (batch,))
    rewards, weights = single(torch.randn(batch)), single(0.5 + torch.rand(batch))
    discounts = single(0.9 * (torch.rand(batch) > 0.25))
    online, target, next_online = (single(torch.randn(batch, actions, size)) for _ in range(3))
    rows = torch.arange(batch)
    tensors = {"actions": taken.double(), "rewards": rewards, "weights": weights, "discounts": discounts, "outputs": online,
               "target_next": target, "online_next": next_online}

    def record(name, losses, outputs):
        loss = (weights * losses).mean()
        loss.backward()
        tensors.update({f"{name}.loss": loss, f"{name}.losses": losses, f"{name}.gradient": outputs.grad})

    z = torch.linspace(low, high, size)
    delta = (high - low) / (size - 1)
    for name, selects in {"categorical": target, "categorical_double": next_online}.items():
        best = (selects.softmax(-1) * z).sum(-1).argmax(-1)
        y = (rewards[:, None] + discounts[:, None] * z).clamp(low, high)
        triangles = (1 - (y[:, None, :] - z[None, :, None]).abs() / delta).clamp(0, 1)
        label = (triangles * target.softmax(-1)[rows, best][:, None, :]).sum(-1)
        outputs = online.clone().requires_grad_()
        record(name, -(label * outputs[rows, taken].log_softmax(-1)).sum(-1), outputs)
    tau = (2 * torch.arange(size) + 1) / (2 * size)
    for name, kappa in {"quantile": 1.0, "quantile_narrow": 0.25}.items():
        best = target.mean(-1).argmax(-1)
        y = rewards[:, None] + discounts[:, None] * target[rows, best]
        outputs = online.clone().requires_grad_()
        theta = outputs[rows, taken]
        u = y[:, None, :] - theta[:, :, None]
        huber = F.huber_loss(theta[:, :, None].expand_as(u), y[:, None, :].expand_as(u), reduction="none", delta=kappa)
        record(name, ((tau[None, :, None] - (u.detach() < 0).double()).abs() * huber / kappa).mean(2).sum(1), outputs)
    # The all-action loss of similar actions: every output is an action, smooth-L1 towards targets that are constants.
    outputs = online.flatten(1).clone().requires_grad_()
    count = outputs.shape[1]
    taken = torch.randint(count, (batch,))
    similarity = single(torch.rand(count, count)) * (torch.rand(count, count) > 0.5)
    similarity.fill_diagonal_(1)  # row a: how far an update of a is one of others
    best = next_online.flatten(1).argmax(-1)
    y = rewards + discounts * target.flatten(1)[rows, best]
    q = outputs.detach()
    all_targets = q + similarity[taken] * (y[:, None] - q)
    tensors.update({"similarity": similarity, "similarity.actions": taken.double()})
    record("similarity", F.smooth_l1_loss(outputs, all_targets, reduction="none").mean(1), outputs)
    tensors["similarity.losses"] = q[rows, taken] - y  # what a head of values gives as errors
    save("heads", tensors)


make_network("convolution_minatar", nn.Sequential(nn.Conv2d(4, 16, 3), nn.ReLU(), nn.Flatten(), nn.Linear(1024, 4), nn.ReLU(), nn.Linear(4, 3)),
             (4, 10, 10), 1)
make_network("convolution_strided", nn.Conv2d(3, 5, (3, 4), stride=(2, 3)), (3, 9, 11), 2)
make_network("convolution_same", nn.Conv2d(2, 6, (4, 3), padding="same"), (2, 6, 5), 5)
make_noisy()
make_heads()
