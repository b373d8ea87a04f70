# SPDX-License-Identifier: Apache-2.0
"""Loads a file of weights as the state_dict of a network, as a user of PyTorch would, compares its outputs with those of mellow, and saves
the state_dict of twice the weights.

    load_network.py WEIGHTS DATA NETWORK DOUBLED       DATA holds "input" (batch x in) and "output" (batch x out);
                                                       NETWORK is like "Sequential(Linear(4, 16), ReLU(), Linear(16, 2))"
"""
import sys

import torch
from safetensors.torch import load_file, save_file

weights, data = load_file(sys.argv[1]), load_file(sys.argv[2])
network = eval(sys.argv[3], vars(torch.nn))
network.load_state_dict(weights)  # strict: every name and shape
torch.testing.assert_close(network(data["input"]), data["output"], rtol=1e-5, atol=1e-6)
save_file({name: 2 * value for name, value in network.state_dict().items()}, sys.argv[4])
