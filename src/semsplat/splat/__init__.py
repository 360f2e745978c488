"""The splatting core: Gaussians in, images with any number of channels out, differentiable.

`rasterize` has gsplat's signature, conventions and ``meta`` keys and runs on two backends: stock
gsplat on CUDA tensors, Numba kernels (`cpu`) on CPU tensors.  `gaussians` holds and initialises
the parameters, `ply` reads and writes INRIA's layout, and `reference` is the slow brute-force truth
that tests and benchmarks compare with.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from semsplat.splat.rasterizer import rasterize

__all__ = ["rasterize"]


def __getattr__(name: str) -> Any:
    """Import the rasteriser when it is asked for: not all of the package needs torch."""
    if name != "rasterize":
        raise AttributeError(f"module 'semsplat.splat' has no attribute '{name}'")
    from semsplat.splat.rasterizer import rasterize

    return rasterize
