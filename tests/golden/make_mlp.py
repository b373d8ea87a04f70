# SPDX-License-Identifier: Apache-2.0
"""Writes the numbers that tests/nn/golden.cpp compares with: PyTorch's own for small perceptrons, in double.

    .venv/bin/python tests/golden/make_mlp.py          (scripts/setup --peers brings the venv)

Each file holds, besides a state_dict of the network: input and output; actions, targets and the mean Huber loss of the outputs at the
actions; its gradients ("gradient.<name>", "gradient.input"); and the parameters after 200 steps of SGD and of Adam on that loss
("sgd.<name>", "adam.<name>"). Inputs and first parameters are float32 numbers, so that a test in float starts from the same.
"""
import pathlib

import torch
from safetensors.torch import save_file

torch.set_default_dtype(torch.float64)
BATCH, STEPS = 8, 200


def single(x):
    return x.detach().float().double()


def make(name, widths, activation, seed):
    torch.manual_seed(seed)
    layers = []
    for n_in, n_out in zip(widths, widths[1:]):
        layers += [torch.nn.Linear(n_in, n_out), activation()]
    network = torch.nn.Sequential(*layers[:-1])
    start = {key: single(value) for key, value in network.state_dict().items()}
    network.load_state_dict(start)
    x = single(torch.randn(BATCH, widths[0])).requires_grad_()
    actions = torch.randint(widths[-1], (BATCH,))
    targets = single(2 * torch.randn(BATCH))  # some errors beyond 1, where the loss is linear

    def loss():
        chosen = network(x).gather(1, actions[:, None])[:, 0]
        return torch.nn.functional.huber_loss(chosen, targets, delta=1.0)

    tensors = dict(start, input=x, output=network(x), actions=actions.double(), targets=targets, loss=loss())
    loss().backward()
    tensors["gradient.input"] = x.grad.clone()
    tensors.update({f"gradient.{key}": value.grad.clone() for key, value in network.named_parameters()})
    for kind, optimizer in (("sgd", torch.optim.SGD(network.parameters(), lr=0.01)), ("adam", torch.optim.Adam(network.parameters(), lr=0.001))):
        network.load_state_dict(start)
        for _ in range(STEPS):
            optimizer.zero_grad()
            loss().backward()
            optimizer.step()
        tensors.update({f"{kind}.{key}": value.clone() for key, value in network.state_dict().items()})
    save_file({key: value.detach().clone().contiguous() for key, value in tensors.items()},
              pathlib.Path(__file__).with_name(f"{name}.safetensors"), {"torch": torch.__version__})


# Seeds whose paths cross no kink of ReLU on the way, where float would part from double.
make("mlp_relu_shallow", [4, 16, 2], torch.nn.ReLU, 4)
make("mlp_relu_deep", [5, 24, 20, 3], torch.nn.ReLU, 2)
make("mlp_tanh", [6, 20, 24, 4], torch.nn.Tanh, 3)
