"""Masks and vectors of images on the pretended GPU, against themselves on the CPU."""

# ruff: noqa: F811

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from semsplat.arrays import read_arrays
from semsplat.features.extraction import write_features
from tests.pretend_cuda.device import pretended_gpu
from tests.pretend_cuda.kernels import pretended_kernels
from tests.unit.features.conftest import (  # noqa: F401
    params,
    run_of,
    two_blocks,
    write_scene,
    write_wall_geometry,
)


@pytest.mark.parametrize("recipe", ["regions", "levels", "granular", "weightless", "pyramid"])
def test_features_are_those_of_the_cpu(
    recipe: str,
    run_of: Any,
    write_scene: Any,
    tmp_path: Path,
) -> None:
    run, scene = run_of(recipe), write_scene([two_blocks()] * 2)
    geometry = write_wall_geometry(tmp_path / "wall", 3.0) if recipe == "granular" else None

    def extracted(device: str) -> dict[str, np.ndarray]:
        out, cache = tmp_path / device, tmp_path / f"cache_{device}"
        write_features(scene, out, cache, run.model_dump_json(), geometry, device)
        files = sorted(out.rglob("*.npz"))
        return {f"{f.name}/{k}": v for f in files for k, v in read_arrays(f).items()}

    expected = extracted("cpu")
    with pretended_gpu(), pretended_kernels():
        found = extracted("cuda")
    assert found.keys() == expected.keys() and len(expected) > 6
    for name, value in expected.items():
        other = found[name]
        assert other.shape == value.shape, name
        if value.dtype.kind == "f":
            assert np.abs(other.astype(float) - value.astype(float)).max() < 2e-2, name
        else:
            assert (other != value).mean() < 0.01, name
