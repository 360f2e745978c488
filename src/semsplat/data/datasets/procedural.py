"""The procedural world: drawn in Replica's layout, then imported exactly as Replica is."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field

from semsplat.data.annotate import Annotate, annotate_view, annotated_places
from semsplat.data.datasets import replica
from semsplat.data.manifest import write_manifest
from semsplat.data.plane_sweep import Sweep
from semsplat.data.world.vocabulary import STUFF
from semsplat.folders import atomic_dir
from semsplat.params.base import Count, Pixels, Strict

SEQUENCE = "Sequence_1"


class Options(Strict):
    """What to draw, and how it is taken over."""

    kind: Literal["room", "clutter", "hall", "tabletop", "near_and_far", "crowd", "motley"]
    """room: seen from along its walls; clutter: one with small things about, which its class maps
    call by one name; hall: a long one; tabletop: a table seen from close; near_and_far: one seen
    from one metre and from three; crowd: many small things on one; motley: things on one whose
    parts differ in colour beside plain ones"""
    seed: int = Field(ge=0)
    """of everything: furniture, colours, light, cameras, initial points"""
    n_views: Annotated[int, Field(ge=1, le=10_000)]
    """views along the camera path"""
    width_px: Pixels
    """image width"""
    height_px: Pixels
    """image height"""
    hfov_deg: float = Field(gt=0, lt=180)
    """horizontal field of view"""
    test_every: int = Field(ge=2)
    """views 0, n, 2n ... are held out"""
    n_points: Count
    """initial points"""
    sweep: Sweep | None
    """how they come from the training views alone; null: from the true depth of these"""
    point_noise_m: float = Field(ge=0)
    """standard deviation of the positions of those from depth"""
    annotate: Annotate
    """prompts with masks and boxes, for open-vocabulary search"""


def native_dir(scene_dir: Path) -> Path:
    """Return where the Replica layout of the canonical scene ``data/{dataset}/{scene}`` lies."""
    return scene_dir.parents[1] / "native" / scene_dir.parent.name / scene_dir.name


def draw(options: Options, out_dir: Path) -> None:
    """Draw the world into ``out_dir`` in Semantic-NeRF's Replica layout, all or nothing."""
    from semsplat.data.world.replica_layout import draw_world  # compiles Numba kernels

    with atomic_dir(out_dir) as partial:
        draw_world(
            options.kind,
            options.seed,
            options.n_views,
            options.width_px,
            options.height_px,
            options.hfov_deg,
            partial,
        )
        write_manifest(partial, {"options": options.model_dump()})


def sources(_options: Options) -> list[Path]:
    """Return no files: the native folder comes from `draw`."""
    return []


def import_scene(scene: str, options: Options, out_dir: Path) -> None:
    """Import the drawn folder through the Replica importer, chosen views with annotations."""
    as_replica = replica.Options(
        root=str(native_dir(out_dir)),
        sequence=SEQUENCE,
        hfov_deg=options.hfov_deg,
        frame_step=1,
        test_every=options.test_every,
        n_points=options.n_points,
        point_noise_m=options.point_noise_m,
        points_seed=options.seed,
        max_width_px=None,
        sweep=options.sweep,
        source=f"semsplat's procedural world, {options.kind}, seed {options.seed}",
        licence="Apache-2.0",
    )
    also_train = options.annotate.also_train
    places = annotated_places(options.n_views, options.test_every, also_train)

    def labels(
        place: int, ids: replica.Ids, objects: list[dict[str, Any]]
    ) -> list[dict[str, Any]] | None:
        if place not in places:
            return None
        return annotate_view(ids["instances"], ids["parts"], objects, STUFF, options.annotate)

    replica.import_scene(scene, as_replica, out_dir, labels)
