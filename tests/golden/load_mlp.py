# SPDX-License-Identifier: Apache-2.0
"""Loads a file of weights as the state_dict of a perceptron, as a user of PyTorch would, and compares its outputs with those of mellow.

    load_mlp.py WEIGHTS DATA WIDTH...       DATA holds "input" (batch x in) and "output" (batch x out)
"""
import sys

import torch
from safetensors.torch import load_file

weights, data, widths = load_file(sys.argv[1]), load_file(sys.argv[2]), [int(width) for width in sys.argv[3:]]
layers = []
for n_in, n_out in zip(widths, widths[1:]):
    layers += [torch.nn.Linear(n_in, n_out), torch.nn.ReLU()]
network = torch.nn.Sequential(*layers[:-1])
network.load_state_dict(weights)  # strict: every name and shape
torch.testing.assert_close(network(data["input"]), data["output"], rtol=1e-5, atol=1e-6)
