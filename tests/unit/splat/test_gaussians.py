"""Initialisation and PLY."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from plyfile import PlyData

from semsplat.errors import SemsplatError
from semsplat.splat.gaussians import gaussians_from_points, random_points, splat, splat_values
from semsplat.splat.ply import read_ply, write_ply

DONUT = Path(__file__).parents[4] / "shared/data/splat_donut/fused.ply"


def rng(seed=0):
    return torch.Generator().manual_seed(seed)


def test_scale_is_the_rms_distance_to_three_neighbours():
    xyz = np.array([[0, 0, 0], [1, 0, 0], [0, 2, 0], [0, 0, 3], [9, 9, 9]], float)
    rgb = np.full((5, 3), 51, np.uint8)
    start = gaussians_from_points(xyz, rgb, 0.1, 1.0, rng())
    assert start["scales"][0].exp().tolist() == pytest.approx([((1 + 4 + 9) / 3) ** 0.5] * 3)
    assert torch.sigmoid(start["opacities"]).tolist() == pytest.approx([0.1] * 5)
    # 0.2 = 0.5 + C0 * sh0: the degree-0 colour is the point's.
    assert (0.5 + 0.28209479177387814 * start["sh0"]).flatten().tolist() == pytest.approx(
        [0.2] * 15
    )


def test_duplicate_points_get_a_size_and_too_few_are_refused():
    start = gaussians_from_points(np.zeros((5, 3)), np.zeros((5, 3), np.uint8), 0.1, 2.0, rng())
    assert start["scales"].exp().flatten().tolist() == pytest.approx([0.002] * 15)
    with pytest.raises(SemsplatError, match="4 are needed"):
        gaussians_from_points(np.zeros((3, 3)), np.zeros((3, 3), np.uint8), 0.1, 1.0, rng())


def test_random_points_fill_the_cube():
    xyz, rgb = random_points(2000, np.array([1.0, 2.0, 3.0]), 0.5, rng())
    assert np.abs(xyz - [1, 2, 3]).max() <= 0.5 and np.ptp(xyz, axis=0).min() > 0.9
    assert rgb.dtype == np.uint8 and len(rgb) == 2000


def some_gaussians(n=50):
    values = np.random.default_rng(0)
    start = dict(
        gaussians_from_points(
            values.normal(size=(n, 3)),
            values.integers(0, 255, (n, 3)).astype(np.uint8),
            0.4,
            1.0,
            rng(),
        )
    )
    start["shN"] = torch.randn(n, 15, 3, generator=rng())
    return {k: v.detach() for k, v in start.items()}


def test_ply_round_trip_is_exact(tmp_path):
    gaussians = some_gaussians()
    write_ply(tmp_path / "a.ply", gaussians)
    again = read_ply(tmp_path / "a.ply")
    assert again.keys() == gaussians.keys()
    for key, value in gaussians.items():
        assert torch.equal(again[key], value), key


def test_ply_layout_is_inrias(tmp_path):
    from plyfile import PlyData

    gaussians = some_gaussians(5)
    write_ply(tmp_path / "a.ply", gaussians)
    vertex = PlyData.read(tmp_path / "a.ply")["vertex"]
    names = [p.name for p in vertex.properties]
    assert names[:9] == ["x", "y", "z", "nx", "ny", "nz", "f_dc_0", "f_dc_1", "f_dc_2"]
    assert names[9:54] == [f"f_rest_{i}" for i in range(45)] and names[54] == "opacity"
    # Channel-major: the second coefficient of red comes before the first of green.
    assert np.allclose(vertex["f_rest_1"], gaussians["shN"][:, 1, 0])
    assert np.allclose(vertex["f_rest_15"], gaussians["shN"][:, 0, 1])


@pytest.mark.parametrize(
    "content", [b"", b"ply\nformat ascii 1.0\nelement vertex 1\nproperty float x\nend_header\n0\n"]
)
def test_a_file_that_is_no_splat_is_one_line(tmp_path, content):
    (tmp_path / "bad.ply").write_bytes(content)
    with pytest.raises(SemsplatError, match=r"bad\.ply") as error:
        read_ply(tmp_path / "bad.ply")
    assert "\n" not in str(error.value)


def test_positions_go_back_to_the_scenes_own_coordinates(tmp_path):
    gaussians = some_gaussians()
    centre = np.array([4e6, -2e5, 7.0])
    write_ply(tmp_path / "stored.ply", gaussians)
    write_ply(tmp_path / "own.ply", gaussians, centre, 4096.0)
    write_ply(tmp_path / "near.ply", gaussians, np.array([1.0, 2, 3]), 2.0)
    vertex = PlyData.read(tmp_path / "own.ply")["vertex"]
    own = np.stack([vertex[axis] for axis in "xyz"], 1)
    assert own.dtype == np.float64 and vertex["opacity"].dtype == np.float32
    assert np.allclose((own - centre) * 4096, gaussians["means"].detach(), atol=1e-4)
    assert np.allclose(vertex["scale_0"], gaussians["scales"].detach()[:, 0] - np.log(4096))
    near = PlyData.read(tmp_path / "near.ply")["vertex"]
    assert near["x"].dtype == np.float32  # single precision holds these
    assert np.allclose(near["x"], gaussians["means"].detach()[:, 0] / 2 + 1)
    again = read_ply(tmp_path / "own.ply")["means"]
    assert len(again) == len(gaussians["means"]) and again.dtype == torch.float32


def test_no_gaussians_have_a_file_too(tmp_path):
    none = {key: value[:0] for key, value in some_gaussians().items()}
    write_ply(tmp_path / "none.ply", none, np.array([4e6, -2e5, 7.0]), 4096.0)
    assert not len(PlyData.read(tmp_path / "none.ply")["vertex"]["x"])


def test_values_that_are_not_finite_are_refused(tmp_path):
    gaussians = some_gaussians()
    gaussians["means"][7, 1] = float("nan")
    write_ply(tmp_path / "nan.ply", gaussians)
    with pytest.raises(SemsplatError, match="Gaussian 7 is not finite"):
        read_ply(tmp_path / "nan.ply")


@pytest.mark.skipif(not DONUT.exists(), reason="needs ../shared/data/splat_donut, absent here")
def test_a_splat_trained_elsewhere_imports_and_renders():
    gaussians = read_ply(DONUT)
    assert len(gaussians["means"]) == 45_624 and not gaussians["shN"].any()
    centre = gaussians["means"].median(0).values
    distance = 3 * (gaussians["means"] - centre).norm(dim=-1).quantile(0.9)
    viewmat = torch.eye(4)
    viewmat[:3, 3] = -centre + torch.tensor([0, 0, 1.0]) * distance
    K = torch.tensor([[200.0, 0, 80], [0, 200, 60], [0, 0, 1]])
    image, alpha, _ = splat(gaussians, viewmat[None], K[None], 160, 120, 0)
    assert 0.05 < alpha.mean() < 0.9 and image.std() > 0.05


def test_values_are_blended_as_colours_are_over_zeros():
    gaussians = {key: value[:2] for key, value in some_gaussians().items()}
    gaussians["means"] = torch.tensor([[0.0, 0, 2], [0, 0, 4]])  # one behind the other
    gaussians["scales"] = torch.full((2, 3), 0.5).log()
    gaussians["opacities"] = torch.tensor([0.25, 0.5]).logit()
    K = torch.tensor([[40.0, 0, 8.5], [0, 40, 6.5], [0, 0, 1]])  # straight at the pixel (8, 6)
    values = torch.tensor([[1.0, 0, 0, -4, 10], [0, 1, 0, 8, 10]])  # five channels
    image, alpha, _ = splat_values(gaussians, values, torch.eye(4)[None], K[None], 17, 13)
    assert image.shape == (1, 13, 17, 5) and alpha.shape == (1, 13, 17, 1)
    # weights 0.25 and 0.75 * 0.5
    expected = [0.25, 0.375, 0, -4 * 0.25 + 8 * 0.375, 6.25]
    assert image[0, 6, 8].tolist() == pytest.approx(expected, abs=1e-5)
    assert alpha[0, 6, 8].item() == pytest.approx(0.625, abs=1e-5)


def test_values_see_the_gaussians_that_colours_see():
    gaussians, K = some_gaussians(), torch.tensor([[20.0, 0, 8], [0, 20, 6], [0, 0, 1]])
    viewmat = torch.eye(4)
    viewmat[2, 3] = 4.0
    camera = viewmat[None], K[None], 16, 12
    signals = torch.randn(50, 7, generator=rng())
    together, alpha, _ = splat(gaussians, *camera, 3, extra_signals=signals)
    alone, alpha_alone, _ = splat_values(gaussians, signals, *camera)
    assert alpha.max() > 0.2
    torch.testing.assert_close(alone, together[..., 3:])
    torch.testing.assert_close(alpha_alone, alpha)
