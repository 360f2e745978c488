"""What each kind of world is there for."""

from __future__ import annotations

from collections import Counter, defaultdict

import numpy as np
import pytest

from semsplat.data.world.builder import COLORS
from semsplat.data.world.kinds import KINDS, make_world
from semsplat.data.world.primitives import CATCH_ALL, CLASSES, Instance, Pattern, World
from semsplat.data.world.raycast import camera_path, render_view
from semsplat.data.world.replica_layout import semantic_info, view_ids

SEEDS = range(8)
every_seed = pytest.mark.parametrize("seed", SEEDS)


def lowest(world: World, instance: Instance) -> float:
    """Metres above the floor where an instance begins."""
    own = [p.hull() for p in world.primitives if p.instance_id == instance.instance_id]
    return float(np.concatenate(own)[:, 2].min())


@every_seed
def test_a_crowd_is_of_many_small_things_several_of_a_kind(seed: int):
    world = make_world("crowd", seed)
    raised = [i.class_name for i in world.instances if lowest(world, i) > 0.67]
    assert len(raised) >= 12 and max(Counter(raised).values()) >= 2


def depths_of(kind: str, seed: int) -> dict[int, list[float]]:
    """The median depth of each thing in the views that see it, metres."""
    world, depths = make_world(kind, seed), defaultdict(list)
    for pose in camera_path(world, 24):
        view = render_view(world, pose, 40, 30, 68.0, samples=1)
        ids = view_ids(world, view.primitives)["instance"]
        for instance in np.unique(ids).tolist():
            depths[instance].append(float(np.median(view.depth[ids == instance])))
    return depths


@every_seed
def test_cameras_come_near_and_go_far(seed: int):
    away = {
        kind: np.linalg.norm(camera_path(make_world(kind, seed), 60)[:, :2, 3], axis=1)
        for kind in KINDS
    }
    ratios = {kind: d.max() / d.min() for kind, d in away.items()}
    assert 3.7 < ratios.pop("near_and_far") < 4.4
    assert 1.8 < ratios.pop("hall") < 2.6 and max(ratios.values()) < 1.1


@every_seed
def test_the_median_thing_is_seen_from_near_and_far(seed: int):
    ratios = sorted(max(seen) / min(seen) for seen in depths_of("near_and_far", seed).values())
    assert np.median(ratios) > 2.0, ratios  # else prompts that follow distances cannot be judged


@every_seed
def test_a_hall_is_twice_as_long_as_wide_and_furnished_in_both_halves(seed: int):
    world = make_world("hall", seed)
    assert 1.8 < world.half[1] / world.half[0] < 2.2
    tables = {i.instance_id for i in world.instances if i.class_name == "table"}
    along = [p.transform[1, 3] for p in world.primitives if p.instance_id in tables]
    assert len(tables) == 2 and min(along) < -1.0 and max(along) > 1.0


@every_seed
def test_a_hall_shows_both_its_halves_from_near_and_far(seed: int):
    depths = depths_of("hall", seed)
    things = make_world("hall", seed).instances
    tables = [i.instance_id for i in things if i.class_name == "table"]
    for table in tables:
        assert max(depths[table]) > 3.0 * min(depths[table]), depths[table]


def test_clutter_is_one_class_of_the_maps_and_keeps_its_names():
    world = make_world("clutter", 2)
    names = list(world.class_names)
    assert names[-1] == CATCH_ALL and len(names) == len(CLASSES) - len(world.catch_all) + 1
    info = semantic_info(world, 8, 6, 60.0)
    assert [c["name"] for c in info["classes"]] == names
    small = [o for o in info["objects"] if o["class_name"] in world.catch_all]
    assert {o["class_id"] for o in small} == {len(names)}
    others = [o for o in info["objects"] if o["class_name"] not in world.catch_all]
    assert all(names[o["class_id"] - 1] == o["class_name"] for o in others)
    ids = dict(zip(world.instance_ids.tolist(), world.class_ids.tolist(), strict=True))
    assert ids == {o["id"]: o["class_id"] for o in info["objects"]}


@every_seed
def test_clutter_has_many_kinds_of_small_things(seed: int):
    world = make_world("clutter", seed)
    small = [i.class_name for i in world.instances if i.class_name in world.catch_all]
    assert len(small) >= 7 and len(set(small)) >= 4


@every_seed
def test_motley_things_have_parts_of_their_own_colours_beside_plain_ones(seed: int):
    world = make_world("motley", seed)
    motley, plain = 0, 0
    for thing in world.instances:
        if thing.class_name in ("floor", "wall", "rug", "table"):
            continue
        looks = {
            p.part_id: p.material for p in world.primitives if p.instance_id == thing.instance_id
        }
        assert {look.pattern for look in looks.values()} == {Pattern.PLAIN}
        named = [nearest_name(looks[part.part_id].base) for part in thing.parts]
        kept = {"lamp": "shade", "plant": "leaves"}.get(thing.class_name, thing.parts[0].name)
        assert named[[part.name for part in thing.parts].index(kept)] == thing.color
        motley += len(set(named)) == len(named)
        plain += len(set(named)) == 1
    assert motley >= 3 and plain >= 3


def nearest_name(color: tuple[float, float, float]) -> str:
    """The named colour that a tint is of."""
    return min(COLORS, key=lambda name: float(np.abs(np.array(COLORS[name]) - color).sum()))
