"""Gaussians in few bytes: 17 each, colours without what depends on the view."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from torch import Tensor

    from semsplat.figures.packed.arrays import Blob

BYTES = 17
"""of a Gaussian without answers: 3 x 2 of position, 3 of scale, 4 of rotation, 4 of colour"""
FAINTEST = 1.0 / 255
"""opacity below which a Gaussian is never drawn (3DGS)"""


def digest(gaussians: dict[str, Tensor]) -> str:
    """Return by what equal Gaussians are known."""
    found = hashlib.sha256()
    for name in sorted(gaussians):
        found.update(gaussians[name].detach().cpu().contiguous().numpy().tobytes())
    return found.hexdigest()


def most_visible(gaussians: dict[str, Tensor], count: int) -> NDArray[np.int64]:
    """Return rows, ascending, of at most ``count`` Gaussians: the largest of opacity times area.

    The area is that of the two longest axes.  What is too faint to be drawn is left out.
    """
    opacity = gaussians["opacities"].sigmoid().cpu().numpy()
    logs = np.sort(gaussians["scales"].cpu().numpy(), axis=1)
    seen = np.log(np.maximum(opacity, 1e-30)) + logs[:, 1] + logs[:, 2]
    order = np.argsort(-seen, kind="stable")
    return np.sort(order[opacity[order] >= FAINTEST][:count])


def pack_model(gaussians: dict[str, Tensor], kept: NDArray[np.int64], blob: Blob) -> dict[str, Any]:
    """Append the rows ``kept`` of Gaussians to a blob, and return the entry of ``models``."""
    from semsplat.splat.cpu.harmonics import C0

    held = {key: value.detach().cpu().float().numpy()[kept] for key, value in gaussians.items()}
    opacity = 1 / (1 + np.exp(-held["opacities"]))
    colours = np.column_stack([0.5 + C0 * held["sh0"][:, 0], opacity])
    units = held["quats"] / np.linalg.norm(held["quats"], axis=1, keepdims=True)
    low, high = held["means"].min(0), held["means"].max(0)
    sizes = float(held["scales"].min()), float(held["scales"].max())
    at = {
        "positions": blob.add(steps(held["means"], low, high, 65535).astype("<u2")),
        "scales": blob.add(steps(held["scales"], *sizes, 255).astype(np.uint8)),
        "rotations": blob.add((units * 127).round().astype(np.int8)),
        "colours": blob.add(steps(colours, 0.0, 1.0, 255).astype(np.uint8)),
    }
    ranges = {"low": low.tolist(), "high": high.tolist(), "scales": list(sizes)}
    return {"count": len(kept), "of": len(gaussians["means"]), **ranges, "at": at}


def steps(values: NDArray[Any], low: Any, high: Any, count: int) -> NDArray[Any]:
    """Return values as whole steps 0 to ``count`` from low to high; what is outside is cut off."""
    span = np.maximum(np.subtract(high, low), 1e-12)
    cut: NDArray[Any] = (np.clip((values - low) / span, 0, 1) * count).round()
    return cut
