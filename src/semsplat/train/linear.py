"""The linear layers of decoders: in TF32 on a GPU, in single precision on a CPU.

A decoder's products are most of what a view costs beside the rasteriser: 0.4 TFLOP of a view of
640 x 480 in GAGS.  TF32 keeps the range of single precision and 10 bits of the 23 behind the point,
and sums in single precision, at seven times the rate.  The methods' codes have it too: PyTorch
computes convolutions in TF32 unless it is told otherwise, 1x1 ones as well, and matrix products
not.  What compares vectors (contrast, relevancy, tables) stays in single precision.  Bfloat16, at
twice the rate again, has 7 bits, and leaves more pixels to another class.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class Linear(nn.Linear):
    """`torch.nn.Linear`, with bias, in TF32 on a GPU."""

    def forward(self, features: Tensor) -> Tensor:
        """Return [..., out] of [..., in]."""
        if not features.is_cuda:
            return super().forward(features)
        return _InTf32.apply(features, self.weight, self.bias)


class _InTf32(torch.autograd.Function):
    """The product and its gradients; what others multiply meanwhile keeps its precision."""

    @staticmethod
    def forward(ctx: Any, features: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
        """Return W x + b."""
        ctx.save_for_backward(features, weight)
        with _tf32():
            return F.linear(features, weight, bias)

    @staticmethod
    def backward(ctx: Any, v: Tensor) -> tuple[Tensor | None, ...]:
        """Return the gradients that are asked for."""
        features, weight = ctx.saved_tensors
        of_features, of_weight, of_bias = ctx.needs_input_grad
        rows = v.flatten(0, -2)
        with _tf32():
            return (
                v @ weight if of_features else None,
                rows.T @ features.flatten(0, -2) if of_weight else None,
                rows.sum(dim=0) if of_bias else None,
            )


@contextmanager
def _tf32() -> Iterator[None]:
    products = torch.backends.cuda.matmul
    before, products.fp32_precision = products.fp32_precision, "tf32"
    try:
        yield
    finally:
        products.fp32_precision = before
