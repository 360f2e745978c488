"""What a model computes in: a GPU as params.yaml says, a CPU always in single precision."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from typing import Any

import torch

from semsplat.params.base import Precision


def precision_on(device: str, asked: Precision) -> Precision:
    """Return what a device ("cpu", "cuda") computes in where ``asked`` is what a GPU should."""
    return asked if torch.device(device).type == "cuda" else "float32"


def computing(device: str, asked: Precision) -> AbstractContextManager[Any]:
    """Return the context in which a model computes on a device; its weights stay float32."""
    precision = precision_on(device, asked)
    if precision == "float32":
        return nullcontext()
    return torch.autocast(torch.device(device).type, getattr(torch, precision))
