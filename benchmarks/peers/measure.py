# SPDX-License-Identifier: Apache-2.0
"""What the peers' programs share: one thread, and a rate as one line of JSON. Import before torch and numpy."""

import importlib.metadata
import json
import os
import time

for library in ("OMP", "MKL", "OPENBLAS"):
    os.environ[f"{library}_NUM_THREADS"] = "1"  # read when torch and numpy load
os.environ["CUDA_VISIBLE_DEVICES"] = ""


def report(name, unit, run, block, packages, seconds=3.0):
    """Calls `run(block)`, which does `block` units of work, for `seconds` after one call to warm up; prints the rate.

    Seconds are those of the processor, as in Google Benchmark: another program on the same core costs neither side.
    """
    run(block)
    done = 0
    start = time.process_time()
    while (elapsed := time.process_time() - start) < seconds:
        run(block)
        done += block
    software = ", ".join(f"{package} {importlib.metadata.version(package)}" for package in packages)
    print(json.dumps({"name": name, "rate": done / elapsed, "unit": unit, "software": software}))
