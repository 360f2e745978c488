"""Splats in the formats of other people's viewers."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from gsply import read_spz

from semsplat.data.normal_frame import NormalFrame
from semsplat.field.formats import SUFFIXES, write_splat
from semsplat.splat.gaussians import splat
from semsplat.splat.ply import read_ply
from tests.unit.data.scene_helpers import K, one_line_error, viewmat_at

MOVED = NormalFrame(np.array([10.0, 0.0, 0.0]), 2.0)


def cloud(count: int = 40) -> dict[str, torch.Tensor]:
    """Return Gaussians in front of the camera that look different from every side."""
    g = torch.Generator().manual_seed(0)
    return {
        "means": torch.randn(count, 3, generator=g) * 0.4,
        "quats": torch.nn.functional.normalize(torch.randn(count, 4, generator=g), dim=-1),
        "scales": torch.randn(count, 3, generator=g) * 0.3 - 2,
        "opacities": torch.randn(count, generator=g) + 1,
        "sh0": torch.randn(count, 1, 3, generator=g) * 0.5,
        "shN": torch.randn(count, 15, 3, generator=g) * 0.15,
    }


def seen(gaussians: dict[str, torch.Tensor], viewmat: np.ndarray) -> torch.Tensor:
    cameras = torch.tensor(viewmat).float()[None], torch.tensor(K).float()[None]
    return splat(gaussians, *cameras, 16, 12, 3)[0][0]


def read_back(path: Path) -> dict[str, torch.Tensor]:
    data = read_spz(path)
    names = ("means", "quats", "scales", "opacities", "sh0", "shN")
    values = {name: torch.from_numpy(np.array(getattr(data, name))) for name in names}
    return values | {"sh0": values["sh0"][:, None], "opacities": values["opacities"].flatten()}


def test_spz_looks_the_same_from_a_camera_that_is_turned_with_its_axes(tmp_path: Path) -> None:
    write_splat(tmp_path / "x.spz", cloud(), None)
    stored = read_back(tmp_path / "x.spz")
    turn = np.diag([1.0, -1.0, -1.0, 1.0])  # half a turn around x: OpenGL's axes
    for viewmat in (viewmat_at(0.0), viewmat_at(1.0, 20.0)):
        own, theirs = seen(cloud(), viewmat), seen(stored, viewmat @ turn)
        assert (own - theirs).abs().mean() < 0.02
        assert (own - seen(stored, viewmat)).abs().mean() > 0.1


def test_splat_holds_the_largest_first_in_eight_bits(tmp_path: Path) -> None:
    gaussians = cloud()
    write_splat(tmp_path / "x.splat", gaussians, None)
    row = np.dtype([("xyz", "<f4", 3), ("scale", "<f4", 3), ("rgba", "u1", 4), ("quat", "u1", 4)])
    stored = np.fromfile(tmp_path / "x.splat", row)
    assert len(stored) == 40
    index = [
        int((gaussians["means"] - torch.from_numpy(x)).norm(dim=1).argmin())
        for x in stored["xyz"].copy()
    ]
    assert sorted(index) == list(range(40))
    np.testing.assert_allclose(stored["scale"], gaussians["scales"][index].exp(), rtol=1e-5)
    alpha = gaussians["opacities"][index].sigmoid().numpy() * 255
    assert np.abs(stored["rgba"][:, 3] - alpha).max() <= 1


def test_all_are_in_the_scenes_own_coordinates(tmp_path: Path) -> None:
    for suffix in SUFFIXES:
        write_splat(tmp_path / f"x{suffix}", cloud(), MOVED)
    wanted = cloud()["means"] / 2 + torch.tensor([10.0, 0.0, 0.0])
    torch.testing.assert_close(read_ply(tmp_path / "x.ply")["means"], wanted)
    dots = np.fromfile(tmp_path / "x.splat", "<f4").reshape(-1, 8)
    np.testing.assert_allclose(np.sort(dots[:, 0]), wanted[:, 0].sort().values, rtol=1e-5)
    turned = read_back(tmp_path / "x.spz")["means"] * torch.tensor([1.0, -1.0, -1.0])
    torch.testing.assert_close(turned, wanted, atol=1e-3, rtol=0)


@pytest.mark.parametrize("name", ["x.obj", "x"])
def test_another_suffix_is_one_line(tmp_path: Path, name: str) -> None:
    with one_line_error("unknown kind of splat; end in .ply, .splat, .spz"):
        write_splat(tmp_path / name, cloud(), None)
    assert not list(tmp_path.iterdir())
