"""Rays, the box, and what lies around it."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from semsplat.data.poses import camera_centre
from semsplat.data.scene import Viewpoint, scene_extent
from semsplat.radiance.space import box_of, contracted, rays_of, rays_through, spaced


def turned() -> Viewpoint:
    """Return a camera at (1, 2, 3) that looks along x."""
    viewmat = np.eye(4)
    viewmat[:3, :3] = [[0, -1, 0], [0, 0, -1], [1, 0, 0]]
    viewmat[:3, 3] = -viewmat[:3, :3] @ [1, 2, 3]
    return Viewpoint("turned", viewmat, np.array([[10.0, 0, 2], [0, 20, 1], [0, 0, 1]]), 4, 2)


def test_rays_start_at_the_camera_and_pass_what_its_pixels_show():
    view = turned()
    rays = rays_of(view, "cpu")
    assert len(rays) == 8 and rays.origins[3].tolist() == pytest.approx([1, 2, 3])
    depth = 2.5
    points = (rays.origins + rays.directions * (depth * rays.per_depth)[:, None]).double().numpy()
    seen = points @ view.viewmat[:3, :3].T + view.viewmat[:3, 3]
    assert seen[:, 2] == pytest.approx(depth)
    pixels = seen @ view.K.T / depth
    expected = [[x + 0.5, y + 0.5] for y in range(2) for x in range(4)]
    assert pixels[:, :2] == pytest.approx(np.array(expected), abs=1e-5)


def test_rays_of_several_cameras_are_those_of_each():
    one, other = turned(), dataclasses.replace(turned(), viewmat=np.eye(4))
    viewmats = torch.stack([torch.from_numpy(v.viewmat).float() for v in (one, other)])
    Ks = torch.stack([torch.from_numpy(v.K).float() for v in (one, other)])
    both = rays_through(viewmats, Ks, torch.tensor([[1.5, 0.5], [1.5, 0.5]]))
    for place, view in enumerate((one, other)):
        assert torch.allclose(both.directions[place], rays_of(view, "cpu").directions[1])


def test_directions_have_length_1():
    assert rays_of(turned(), "cpu").directions.norm(dim=-1).tolist() == pytest.approx([1] * 8)


def test_the_box_has_its_share_and_infinity_the_rest():
    x = torch.tensor([-1e9, -2.0, -1.0, 0.5, 1.0, 4.0])
    expected = [-1.0, -0.9, -0.8, 0.4, 0.8, 0.95]
    assert contracted(x, 0.8).tolist() == pytest.approx(expected)


@given(st.floats(0.0, 0.99), st.floats(0.2, 0.95))
def test_spacing_undoes_the_contraction(u, share):
    t = spaced(torch.tensor(u, dtype=torch.float64), share)
    assert float(contracted(t, share)) == pytest.approx(u, abs=1e-6)


def test_the_box_holds_points_and_cameras(tiny_scene):
    middle, half = box_of(tiny_scene, 3.0)
    centres = np.stack([camera_centre(f.viewmat) for f in tiny_scene.train])
    inside = np.abs(centres - middle.numpy()) <= half.numpy() + 1e-6
    assert inside.all()
    assert half[2] > 1  # the plane lies far before the cameras


def test_without_points_it_is_a_cube_around_the_cameras(tiny_scene):
    bare = dataclasses.replace(tiny_scene, points_path=None)
    middle, half = box_of(bare, 3.0)
    centres = np.stack([camera_centre(f.viewmat) for f in bare.train])
    assert middle.tolist() == pytest.approx(centres.mean(0).tolist(), abs=1e-6)
    assert half.tolist() == pytest.approx([3 * scene_extent(bare)] * 3)
