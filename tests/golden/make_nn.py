# SPDX-License-Identifier: Apache-2.0
"""Writes the numbers that tests/nn/golden.cpp compares with: PyTorch's own for small networks, in double.

    .venv/bin/python tests/golden/make_nn.py          (scripts/setup --peers brings the venv)

mlp_*.safetensors: besides a state_dict of the network, input and output; actions, targets and the mean Huber loss of the outputs at the
actions; its gradients ("gradient.<name>", "gradient.input"); and the parameters after 200 steps of SGD and of Adam on that loss
("sgd.<name>", "adam.<name>").
sequential.safetensors: the same for a composition with layer normalisations and its mean squared loss, with the parameters after 200 steps
of each optimiser ("<variant>.<name>"). activations.safetensors: "x", and for each activation "<name>.value" and "<name>.derivative".
Inputs and first parameters are float32 numbers, so that a test in float starts from the same.
"""
import pathlib

import torch
from safetensors.torch import save_file
from stable_baselines3.common.sb2_compat.rmsprop_tf_like import RMSpropTFLike
from torch import nn

torch.set_default_dtype(torch.float64)
BATCH, STEPS = 8, 200


def single(x):
    return x.detach().float().double()


def save(name, tensors):
    save_file({key: value.detach().clone().contiguous() for key, value in tensors.items()},
              pathlib.Path(__file__).with_name(f"{name}.safetensors"), {"torch": torch.__version__})


def record(network, start, x, loss, optimizers):
    """Output, loss and gradients at `start`, and where each optimiser is after 200 steps from there."""
    tensors = dict(start, input=x, output=network(x), loss=loss())
    loss().backward()
    tensors["gradient.input"] = x.grad.clone()
    tensors.update({f"gradient.{key}": value.grad.clone() for key, value in network.named_parameters()})
    for kind, make in optimizers.items():
        network.load_state_dict(start)
        optimizer = make(network)
        for _ in range(STEPS):
            optimizer.zero_grad()
            loss().backward()
            optimizer.step()
        tensors.update({f"{kind}.{key}": value.clone() for key, value in network.state_dict().items()})
    return tensors


def begin(network):
    start = {key: single(value) for key, value in network.state_dict().items()}
    network.load_state_dict(start)
    return start


def make_mlp(name, widths, activation, seed):
    torch.manual_seed(seed)
    layers = []
    for n_in, n_out in zip(widths, widths[1:]):
        layers += [nn.Linear(n_in, n_out), activation()]
    network = nn.Sequential(*layers[:-1])
    start = begin(network)
    x = single(torch.randn(BATCH, widths[0])).requires_grad_()
    actions = torch.randint(widths[-1], (BATCH,))
    targets = single(2 * torch.randn(BATCH))  # some errors beyond 1, where the loss is linear

    def loss():
        chosen = network(x).gather(1, actions[:, None])[:, 0]
        return nn.functional.huber_loss(chosen, targets, delta=1.0)

    optimizers = {"sgd": lambda n: torch.optim.SGD(n.parameters(), lr=0.01), "adam": lambda n: torch.optim.Adam(n.parameters(), lr=0.001)}
    save(name, dict(record(network, start, x, loss, optimizers), actions=actions.double(), targets=targets))


def by_kind(network, decay):
    """Dense weights decay; biases and normalisations do not."""
    weights = [p for p in network.parameters() if p.dim() == 2]
    others = [p for p in network.parameters() if p.dim() != 2]
    return [{"params": weights, "weight_decay": decay}, {"params": others, "weight_decay": 0.0}]


def make_sequential():
    torch.manual_seed(6)
    network = nn.Sequential(nn.Linear(4, 12), nn.LayerNorm(12), nn.SiLU(), nn.Linear(12, 8), nn.GELU(), nn.LayerNorm(8), nn.Linear(8, 3),
                            nn.Softplus())
    for p in network.parameters():  # normalisations off 1 and 0
        p.data += 0.1 * torch.randn_like(p)
    start = begin(network)
    x = single(torch.randn(BATCH, 4)).requires_grad_()
    targets = single(torch.randn(BATCH, 3))
    sgd, rmsprop, adamw = torch.optim.SGD, torch.optim.RMSprop, torch.optim.AdamW
    # Rates at which a change of 1e-8 at the beginning stays below 1e-7: beyond, no two implementations agree.
    optimizers = {
        "sgd": lambda n: sgd(n.parameters(), lr=0.01),
        "sgd_momentum": lambda n: sgd(n.parameters(), lr=0.002, momentum=0.9),
        "sgd_dampening": lambda n: sgd(n.parameters(), lr=0.01, momentum=0.8, dampening=0.3, weight_decay=0.01),
        "sgd_nesterov": lambda n: sgd(by_kind(n, 0.02), lr=0.002, momentum=0.9, nesterov=True),
        "adam": lambda n: torch.optim.Adam(n.parameters(), lr=0.001),
        "adamw_all": lambda n: adamw(n.parameters(), lr=0.001, weight_decay=0.1),
        "adamw": lambda n: adamw(by_kind(n, 0.1), lr=0.001),
        "radam": lambda n: torch.optim.RAdam(n.parameters(), lr=0.005),
        "rmsprop": lambda n: rmsprop(n.parameters(), lr=0.0002, eps=1e-2),
        "rmsprop_centred": lambda n: rmsprop(n.parameters(), lr=0.0001, alpha=0.95, eps=1e-2, centered=True),
        "rmsprop_momentum": lambda n: rmsprop(n.parameters(), lr=0.0001, eps=1e-2, momentum=0.9, centered=True),
        "rmsprop_tensorflow": lambda n: RMSpropTFLike(n.parameters(), lr=0.001, alpha=0.9, eps=1e-3),
        "rmsprop_tensorflow_centred": lambda n: RMSpropTFLike(n.parameters(), lr=0.001, alpha=0.95, eps=0.01, momentum=0.5, centered=True),
        "adagrad": lambda n: torch.optim.Adagrad(n.parameters(), lr=0.01),
    }
    tensors = record(network, start, x, lambda: nn.functional.mse_loss(network(x), targets), optimizers)
    save("sequential", dict(tensors, targets=targets))


def make_activations():
    x = single(torch.cat([torch.linspace(-30, 30, 61), torch.linspace(-6, 6, 131), torch.tensor([19.999, 20.0001, -100.0, 100.0])]))
    tensors = {"x": x}
    for name, f in {"identity": nn.Identity(), "relu": nn.ReLU(), "leaky_relu": nn.LeakyReLU(0.2), "tanh": nn.Tanh(), "sigmoid": nn.Sigmoid(),
                    "softplus": nn.Softplus(), "silu": nn.SiLU(), "gelu": nn.GELU(), "gelu_tanh": nn.GELU("tanh")}.items():
        at = x.clone().requires_grad_()
        y = f(at)
        y.sum().backward()
        tensors.update({f"{name}.value": y, f"{name}.derivative": at.grad})
    save("activations", tensors)


# Seeds whose paths cross no kink of ReLU on the way, where float would part from double.
make_mlp("mlp_relu_shallow", [4, 16, 2], nn.ReLU, 4)
make_mlp("mlp_relu_deep", [5, 24, 20, 3], nn.ReLU, 2)
make_mlp("mlp_tanh", [6, 20, 24, 4], nn.Tanh, 3)
make_sequential()
make_activations()
