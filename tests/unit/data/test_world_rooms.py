"""Rooms and table tops: ids, placement, cameras, object sizes."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from semsplat.data.world import kinds
from semsplat.data.world.arrange import Footprint, Placer, overlap
from semsplat.data.world.builder import COLORS
from semsplat.data.world.kinds import make_world
from semsplat.data.world.primitives import CLASSES, Shape, World
from semsplat.data.world.raycast import camera_path, focal_length, render_view
from semsplat.data.world.replica_layout import view_ids

KINDS = ("room", "tabletop")
SEEDS = (0, 1, 2, 3, 4, 5)
BACKGROUND = ("floor", "wall")
MIN_WIDTH = 16
any_kind = st.sampled_from(sorted(kinds.KINDS))
seeds = st.integers(0, 10_000)


def inside_any(world: World, points: np.ndarray, margin: float) -> np.ndarray:
    """Whether points [N, 3] lie in a primitive grown by ``margin`` metres."""
    hit = np.zeros(len(points), bool)
    for primitive in world.primitives:
        local = (points - primitive.transform[:3, 3]) @ np.linalg.inv(primitive.transform[:3, :3]).T
        local = np.abs(local) / (1.0 + margin / primitive.half)
        if primitive.shape is Shape.ELLIPSOID:
            hit |= np.linalg.norm(local, axis=1) < 1.0
        else:
            hit |= (local < 1.0).all(axis=1)
    return hit


def world_bounds(world: World, instance_id: int) -> tuple[np.ndarray, np.ndarray]:
    hulls = [p.hull() for p in world.primitives if p.instance_id == instance_id]
    points = np.concatenate(hulls)
    return points.min(axis=0), points.max(axis=0)


@settings(max_examples=40)
@given(any_kind, seeds)
def test_ids_form_a_hierarchy(kind: str, seed: int):
    world = make_world(kind, seed)
    assert [i.instance_id for i in world.instances] == list(range(1, len(world.instances) + 1))
    owner = {p.part_id: i for i in world.instances for p in i.parts}
    assert sorted(owner) == list(range(1, len(owner) + 1))
    for primitive in world.primitives:
        assert owner[primitive.part_id].instance_id == primitive.instance_id
    assert set(world.part_ids.tolist()) == set(owner)
    assert (np.diff(world.instance_ids.astype(int)) >= 0).all()
    for instance in world.instances:
        assert instance.class_name in CLASSES
        assert instance.color in COLORS
        names = [part.name for part in instance.parts]
        assert len(set(names)) == len(names)


@settings(max_examples=40)
@given(any_kind, seeds)
def test_everything_stays_in_the_room(kind: str, seed: int):
    world = make_world(kind, seed)
    for instance in world.instances:
        if instance.class_name in BACKGROUND:
            continue
        low, high = world_bounds(world, instance.instance_id)
        assert (np.abs([low[:2], high[:2]]) <= np.array(world.half) + 0.03).all()
        assert low[2] >= -0.03
        assert high[2] < world.height
    reach = np.abs(world.light.centre[:2]).max() + world.light.radius
    assert reach < min(world.half)
    assert world.light.centre[2] < world.height


@settings(max_examples=15)
@given(any_kind, seeds)
def test_camera_keeps_clear_of_geometry(kind: str, seed: int):
    world = make_world(kind, seed)
    eyes = camera_path(world, 90)[:, :3, 3]
    assert not inside_any(world, eyes, 0.08).any()
    assert (np.abs(eyes[:, :2]) < np.array(world.half) - 0.15).all()


@settings(max_examples=30)
@given(any_kind, seeds, st.integers(12, 120))
def test_camera_path_is_rigid_smooth_and_closed(kind: str, seed: int, n_views: int):
    poses = camera_path(make_world(kind, seed), n_views)
    turns = poses[:, :3, :3]
    np.testing.assert_allclose(
        turns @ turns.transpose(0, 2, 1), np.eye(3)[None].repeat(n_views, 0), atol=1e-9
    )
    np.testing.assert_allclose(np.linalg.det(turns), 1.0)
    following = np.roll(poses, -1, axis=0)
    steps = np.linalg.norm(following[:, :3, 3] - poses[:, :3, 3], axis=1)
    swing = {"near_and_far": 4.0, "hall": 2.2}.get(kind, 1.0)
    assert steps.max() < swing * 2.2 * 2 * np.pi * 2.0 / n_views
    cosine = (poses[:, :3, 2] * following[:, :3, 2]).sum(axis=1)
    turn = {"hall": 3.0, "near_and_far": 2.5}.get(kind, 2.0)  # at its ends; where it is near
    assert np.degrees(np.arccos(cosine.clip(-1, 1))).max() < turn * 360 / n_views
    assert (poses[:, 2, 1] < 0).all()


@pytest.mark.parametrize("kind", sorted(kinds.KINDS))
@pytest.mark.parametrize("seed", range(12))
def test_objects_on_one_support_do_not_interpenetrate(kind: str, seed: int):
    world = make_world(kind, seed)
    big = [i for i in world.instances if i.class_name not in (*BACKGROUND, "rug", "picture")]
    for one, two in itertools.combinations(big, 2):
        if {one.class_name, two.class_name} == {"cushion", "sofa"}:  # it sinks in
            continue
        samples = np.concatenate(
            [
                sample_inside(p.transform)
                for p in world.primitives
                if p.instance_id == one.instance_id
            ]
        )
        other = tuple(p for p in world.primitives if p.instance_id == two.instance_id)
        for primitive in other:
            local = (samples - primitive.transform[:3, 3]) @ np.linalg.inv(
                primitive.transform[:3, :3]
            ).T
            assert not (np.abs(local) < 0.98).all(axis=1).any(), (one.class_name, two.class_name)


def sample_inside(transform: np.ndarray) -> np.ndarray:
    """World points [27, 3] well inside a primitive."""
    grid = np.array(list(itertools.product((-0.55, 0.0, 0.55), repeat=3)))
    return grid @ transform[:3, :3].T + transform[:3, 3]


@pytest.mark.parametrize("kind", KINDS)
def test_every_class_turns_up(kind: str):
    seen = {i.class_name for seed in range(40) for i in make_world(kind, seed).instances}
    missing = set(CLASSES) - seen
    assert missing == (set() if kind == "room" else {"chair", "sofa"})


@pytest.mark.parametrize("seed", range(20))
def test_enough_items(seed: int):
    table_top = make_world("tabletop", seed)
    table = next(i for i in table_top.instances if i.class_name == "table")
    height = world_bounds(table_top, table.instance_id)[1][2]
    raised = [
        i
        for i in table_top.instances
        if i.class_name not in BACKGROUND
        and world_bounds(table_top, i.instance_id)[0][2] > height - 0.03
    ]
    assert 4 <= len(raised) <= 7
    assert len({i.class_name for i in raised}) == len(raised)


def widths_by_instance(world: World, n_views: int) -> dict[int, list[int]]:
    """Pixel widths of each object in the views that see at least 20 pixels of it."""
    widths: dict[int, list[int]] = {}
    for pose in camera_path(world, n_views):
        view = render_view(world, pose, 160, 120, 60.0, samples=1)
        ids = view_ids(world, view.primitives)["instance"]
        for instance in world.instances:
            mask = ids == instance.instance_id
            if instance.class_name not in BACKGROUND and mask.sum() >= 20:
                columns = np.flatnonzero(mask.any(axis=0))
                widths.setdefault(instance.instance_id, []).append(int(np.ptp(columns)) + 1)
    return widths


@pytest.mark.parametrize("kind", KINDS)
def test_objects_are_large(kind: str):
    pairs, medians, seen, total = [], [], 0, 0
    for seed in SEEDS:
        world = make_world(kind, seed)
        widths = widths_by_instance(world, 8)
        pairs += [w for values in widths.values() for w in values]
        medians += [float(np.median(values)) for values in widths.values()]
        seen += len(widths)
        total += sum(i.class_name not in BACKGROUND for i in world.instances)
    assert np.mean(np.array(pairs) >= MIN_WIDTH) > 0.88
    assert np.mean(np.array(medians) >= MIN_WIDTH) > 0.93
    assert seen / total > 0.95


@pytest.mark.parametrize("kind", KINDS)
def test_depth_agrees_between_neighbouring_views(kind: str):
    world = make_world(kind, 2)
    first, second = camera_path(world, 60)[:2]
    one, two = (render_view(world, pose, 160, 120, 60.0, samples=1) for pose in (first, second))
    focal = focal_length(160, 60.0)
    v, u = np.mgrid[0:120, 0:160] + 0.5
    rays = np.stack([(u - 80) / focal, (v - 60) / focal, np.ones_like(u)], axis=-1)
    points = (rays * one.depth[..., None]).reshape(-1, 3) @ first[:3, :3].T + first[:3, 3]
    local = (points - second[:3, 3]) @ second[:3, :3]
    x = np.floor(focal * local[:, 0] / local[:, 2] + 80).astype(int)
    y = np.floor(focal * local[:, 1] / local[:, 2] + 60).astype(int)
    inside = (x >= 0) & (x < 160) & (y >= 0) & (y < 120)
    assert inside.mean() > 0.8
    expected, found = local[inside, 2], two.depth[y[inside], x[inside]]
    assert np.mean(np.abs(found - expected) < 0.02 * expected) > 0.9
    same = two.primitives[y[inside], x[inside]] == one.primitives.reshape(-1)[inside]
    assert same.mean() > 0.9


@settings(max_examples=60)
@given(seeds, st.floats(0.05, 0.3), st.floats(0.05, 0.3))
def test_placer_never_overlaps(seed: int, half_x: float, half_y: float):
    placer = Placer(np.random.default_rng(seed), 0.6, 0.5, 0.02)
    for _ in range(6):
        placer.find(half_x, half_y)
    for one, two in itertools.combinations(placer.taken, 2):
        assert not overlap(one, two)
    assert all(placer.inside(spot) for spot in placer.taken)


@given(st.floats(-1, 1), st.floats(-1, 1), st.floats(0, 6.3))
def test_a_footprint_overlaps_itself_and_not_one_far_away(x: float, y: float, yaw: float):
    spot = Footprint(x, y, 0.2, 0.1, yaw)
    assert overlap(spot, spot)
    assert not overlap(spot, Footprint(x + 0.5, y, 0.2, 0.1, yaw))
