"""What is compiled ahead of trainings is what they call."""

from __future__ import annotations

import subprocess
import sys

PROGRAM = """
import importlib, pkgutil
import numba, numpy as np, torch
from numba.core.dispatcher import Dispatcher
import semsplat.splat.cpu as cpu
from semsplat.fit import ssim_cpu
from semsplat.fit.kernels import compile_kernels
from semsplat.fit.losses import reconstruction_terms
from semsplat.splat.gaussians import gaussians_from_points, splat

names = [file.name for file in pkgutil.iter_modules(cpu.__path__, "semsplat.splat.cpu.")]
modules = [importlib.import_module(name) for name in names]
everything = [value for module in [*modules, ssim_cpu] for value in vars(module).values()]
kernels = {value for value in everything if isinstance(value, Dispatcher)}

def known():
    return {kernel.py_func.__name__: len(kernel.signatures) for kernel in kernels}

compile_kernels()
before = known()
draw = torch.Generator().manual_seed(1)
gaussians = gaussians_from_points(
    np.random.default_rng(0).normal(size=(50, 3)), np.zeros((50, 3), np.uint8), 0.1, 1.0, draw
)
camera = torch.eye(4)[None], torch.eye(3)[None] * 20, 40, 24
camera[0][0, 2, 3] = 3.0
for degree in (0, 3):
    image = splat(gaussians, *camera, degree, backgrounds=torch.zeros(1, 3))[0][0]
    terms = reconstruction_terms(image, torch.rand(24, 40, 3), 0.2)
    torch.stack(list(terms.values())).sum().backward()
assert all(g.grad is not None for g in gaussians.values())
after = known()
print([name for name in after if after[name] != before[name]], sum(before.values()) >= 10)
"""


def test_a_training_step_compiles_nothing_more():
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=False
    )
    assert done.stdout == "[] True\n", done.stderr
