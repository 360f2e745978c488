"""INRIA's point-cloud layout in and out: what every splat viewer reads."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from plyfile import PlyData, PlyElement
from torch import Tensor

from semsplat.errors import SemsplatError
from semsplat.io import atomic_path
from semsplat.splat.gaussians import SH_COEFFICIENTS
from semsplat.vertices import read_vertices

SPREAD_KEPT = 1e-6
SCALARS = ("x", "y", "z", "nx", "ny", "nz", "f_dc_0", "f_dc_1", "f_dc_2")


def _names(n_rest: int) -> list[str]:
    """Return the property names in INRIA's order."""
    rest = [f"f_rest_{i}" for i in range(n_rest)]
    shape = [f"scale_{i}" for i in range(3)] + [f"rot_{i}" for i in range(4)]
    return [*SCALARS, *rest, "opacity", *shape]


def write_ply(
    path: Path, gaussians: dict[str, Tensor], centre: Any = (0.0, 0.0, 0.0), scale: float = 1.0
) -> None:
    """Write Gaussians (keys of `semsplat.splat.gaussians`) as binary little-endian PLY, atomically.

    Colours are harmonics with all red coefficients first; opacities stay logits and scales
    logarithms; normals are zeros that nobody reads.

    Args:
        path: of the file.
        gaussians: in the coordinates of the stored scene.
        centre: where the stored origin is in the scene's own coordinates, [3].
        scale: stored units per own unit.  Own positions are written in double precision where
            single would lose what is between them.
    """
    value = own_values(gaussians, centre, scale)
    n = len(value["means"])
    precise = not _held(value["means"])
    columns = [
        value["means"],
        np.zeros((n, 3), np.float32),
        value["sh0"][:, 0],
        value["shN"].transpose(0, 2, 1).reshape(n, 3 * value["shN"].shape[1]),
        value["opacities"][:, None],
        value["scales"],
        value["quats"],
    ]
    table = np.concatenate(columns, 1)
    names = _names(3 * value["shN"].shape[1])
    fields = [(name, "f8" if precise and name in "xyz" else "f4") for name in names]
    rows = np.empty(n, fields)
    for name, column in zip(names, table.T, strict=True):
        rows[name] = column
    with atomic_path(path) as partial:
        PlyData([PlyElement.describe(rows, "vertex")], byte_order="<").write(partial)


def own_values(
    gaussians: dict[str, Tensor], centre: Any = (0.0, 0.0, 0.0), scale: float = 1.0
) -> dict[str, NDArray[Any]]:
    """Return Gaussians in the scene's own coordinates, float32 but positions where these moved.

    Args:
        gaussians: in the coordinates of the stored scene.
        centre: where the stored origin is in the scene's own coordinates, [3].
        scale: stored units per own unit.
    """
    value = {k: v.detach().cpu().float().numpy() for k, v in gaussians.items()}
    if scale != 1 or np.any(centre):
        value["means"] = value["means"] / scale + np.asarray(centre, np.float64)
        value["scales"] = value["scales"] - np.float32(np.log(scale))
    return value


def _held(xyz: NDArray[Any]) -> bool:
    """Tell whether single precision holds positions [N, 3] to a millionth of their spread."""
    if xyz.dtype == np.float32 or not len(xyz):
        return True
    lost = np.abs(xyz - xyz.astype(np.float32)).max()
    return bool(lost <= SPREAD_KEPT * np.ptp(xyz, axis=0).max())


def read_ply(path: Path) -> dict[str, Tensor]:
    """Return the Gaussians of an INRIA-layout PLY of any harmonic degree up to 3, float32.

    Raises:
        SemsplatError: the file is missing, broken, no splat, or holds values that are not finite.
    """
    vertex = read_vertices(path)
    names = [p.name for p in vertex.properties]
    n_rest = sum(name.startswith("f_rest_") for name in names)
    required = [name for name in _names(n_rest) if name not in ("nx", "ny", "nz")]
    missing = [name for name in required if name not in names]
    if missing or n_rest not in (0, 9, 24, 45):
        what = f"no property '{missing[0]}'" if missing else f"{n_rest} f_rest properties"
        raise SemsplatError(f"{path}: not a Gaussian splat in INRIA's layout ({what})")
    table = np.stack([np.asarray(vertex[name], np.float32) for name in required], 1)
    if not np.isfinite(table).all():
        raise SemsplatError(
            f"{path}: Gaussian {int(np.argwhere(~np.isfinite(table))[0, 0])} is not finite"
        )
    return _split(torch.from_numpy(table), n_rest)


def _split(table: Tensor, n_rest: int) -> dict[str, Tensor]:
    """Cut the columns xyz, dc, rest, opacity, scale, rot into named tensors; pad to degree 3."""
    xyz, dc, rest, opacity, scale, rot = table.split([3, 3, n_rest, 1, 3, 4], 1)
    n = len(table)
    higher = torch.zeros(n, SH_COEFFICIENTS - 1, 3)
    higher[:, : n_rest // 3] = rest.reshape(n, 3, -1).transpose(1, 2)
    return {
        "means": xyz.contiguous(),
        "quats": rot.contiguous(),
        "scales": scale.contiguous(),
        "opacities": opacity[:, 0].contiguous(),
        "sh0": dc[:, None].contiguous(),
        "shN": higher,
    }
