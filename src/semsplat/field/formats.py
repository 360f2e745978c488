"""Splats in the formats that viewers open: .ply and .pt by us, .splat by gsplat, .spz by gsply."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from semsplat.data.normal_frame import OWN, NormalFrame
from semsplat.errors import SemsplatError
from semsplat.field.nerfstudio import CONFIG_FILE
from semsplat.io import atomic_path
from semsplat.splat.ply import own_values, write_ply

SUFFIXES = (".ply", ".splat", ".spz", ".pt")
SIGNS = np.array([1, -1, -1, 1, -1, 1, 1, -1, 1, -1, 1, -1, -1, 1, -1, 1], np.float32)
"""What half a turn around x makes of real harmonics up to degree 3, in 3DGS's order."""
Values = NDArray[np.float32]


def write_splat(path: Path, gaussians: dict[str, Tensor], stored_in: NormalFrame | None) -> None:
    """Write Gaussians (keys of `semsplat.splat.gaussians`) as the suffix says, atomically.

    .splat has no harmonics and eight bits a number; .spz has harmonics in eight bits and positions
    in 24, and its axes are those of OpenGL; .pt is a checkpoint of gsplat's trainer.

    Raises:
        SemsplatError: the suffix is unknown.
    """
    frame = stored_in or OWN
    if path.suffix not in SUFFIXES:
        known = ", ".join((*SUFFIXES, CONFIG_FILE))
        raise SemsplatError(f"{path}: unknown kind of splat; end in {known}")
    if path.suffix == ".ply":
        write_ply(path, gaussians, *frame)
        return
    value = {k: v.astype(np.float32) for k, v in own_values(gaussians, *frame).items()}
    write = {".splat": _write_dot_splat, ".spz": _write_spz, ".pt": _write_checkpoint}
    with atomic_path(path) as partial:
        write[path.suffix](partial, value)


def _write_dot_splat(path: Path, value: dict[str, Values]) -> None:
    """Write what antimatter15's viewer reads."""
    from gsplat.exporter import export_splats

    export_splats(
        **{key: torch.from_numpy(of) for key, of in value.items()},
        format="splat",
        save_to=str(path),
    )


def _write_checkpoint(path: Path, value: dict[str, Values]) -> None:
    """Write what gsplat's simple_trainer.py saves and its simple_viewer.py opens."""
    splats = {key: torch.from_numpy(of) for key, of in value.items()}
    torch.save({"step": 0, "splats": splats}, path)


def _write_spz(path: Path, value: dict[str, Values]) -> None:
    """Write Niantic's format: its axes are turned around x, seen from a splat's."""
    from gsply import GSData, write_spz

    w, x, y, z = value["quats"].T
    turned = GSData.from_arrays(
        means=value["means"] * SIGNS[[3, 1, 2]],  # x y z of the harmonics y z x
        scales=value["scales"],
        quats=np.stack([-x, w, -z, y], axis=1),
        opacities=value["opacities"],
        sh0=value["sh0"][:, 0],
        shN=value["shN"] * SIGNS[1:, None],
    )
    write_spz(path, turned)
