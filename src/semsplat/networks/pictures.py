"""Pictures of procedural worlds with exact masks, for training the embedded networks.

Every picture is of a world whose seed lies far above those of the suites' scenes, from a camera
that strays from the world's own path, so that neither a scene nor a camera of a suite is seen.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from semsplat.data.world.builder import COLORS
from semsplat.data.world.kinds import make_world
from semsplat.data.world.primitives import World
from semsplat.data.world.raycast import develop, measure_exposure, orbit_pose, render_view
from semsplat.data.world.vocabulary import PARTS
from semsplat.errors import readable
from semsplat.io import atomic_path
from semsplat.params.networks import Pictures

MAX_PRIMITIVES = 160
NOTHING = 255  # primitive id where the camera sees none
_CAMERA_STREAM, _NOISE_STREAM = 11, 12


@dataclass(frozen=True)
class PictureSet:
    """Pictures and, per picture, what each of its primitives belongs to (-1: no such primitive).

    ``images`` uint8 [N, H, W, 3]; ``primitives`` uint8 [N, H, W] index into the tables, `NOTHING`
    for none; ``tables`` int16 [N, 5, MAX_PRIMITIVES] holds part id, instance id, and the positions
    of class, colour and part name in CLASSES, COLORS and PARTS.
    """

    images: NDArray[np.uint8]
    primitives: NDArray[np.uint8]
    tables: NDArray[np.int16]

    def __len__(self) -> int:
        """Return the number of pictures."""
        return len(self.images)

    def levels(self, index: int) -> NDArray[np.int16]:
        """Return ids [3, H, W] of picture ``index``: primitive, part, instance."""
        seen = self.primitives[index]
        part, instance = self.tables[index, :2]
        return np.stack([seen.astype(np.int16), part[seen % MAX_PRIMITIVES],
                         instance[seen % MAX_PRIMITIVES]])  # fmt: skip

    def save(self, path: Path) -> None:
        """Write the set as a compressed archive."""
        with atomic_path(path) as partial:
            np.savez_compressed(
                partial, images=self.images, primitives=self.primitives, tables=self.tables
            )


def load_pictures(paths: Iterable[Path]) -> PictureSet:
    """Return the sets of several archives as one."""
    sets = []
    for path in paths:
        with (
            readable(path, "an archive of pictures", "draw it again"),
            np.load(path, allow_pickle=False) as archive,
        ):
            sets.append([archive[name] for name in ("images", "primitives", "tables")])
    images, primitives, tables = (np.concatenate(arrays) for arrays in zip(*sets, strict=True))
    return PictureSet(images, primitives, tables)


def draw_pictures(seeds: Iterable[int], config: Pictures) -> PictureSet:
    """Draw ``views_per_world`` pictures of the world of every seed; a seed fixes every byte.

    Every third world is a table top, the others are rooms.
    """
    shots = []
    for seed in seeds:
        world = make_world("tabletop" if seed % 3 == 0 else "room", seed)
        exposure = measure_exposure(world, 68.0)
        shots += [_shoot(world, view, exposure, config) for view in range(config.views_per_world)]
    images, primitives, tables = (np.stack(arrays) for arrays in zip(*shots, strict=True))
    return PictureSet(images, primitives, tables)


def _shoot(
    world: World, view: int, exposure: float, config: Pictures
) -> tuple[NDArray[np.uint8], NDArray[np.uint8], NDArray[np.int16]]:
    """Return one picture, its primitive ids and the world's tables."""
    rng = np.random.default_rng([world.seed, _CAMERA_STREAM, view])
    orbit = replace(
        world.orbit,
        radius=world.orbit.radius * rng.uniform(0.85, 1.03),
        height=world.orbit.height + rng.uniform(-0.2, 0.15),
        target_height=world.orbit.target_height + rng.uniform(-0.15, 0.15),
        across=world.orbit.across + rng.uniform(-0.3, 0.3),
    )
    turn, phase = rng.uniform(0.0, 1.0), rng.uniform(0.0, 2.0 * np.pi)
    pose = orbit_pose(orbit, turn, phase)
    fov = rng.uniform(config.hfov_min_deg, config.hfov_max_deg)
    seen = render_view(world, pose, config.width_px, config.height_px, fov)
    noise = np.random.default_rng([world.seed, _NOISE_STREAM, view])
    photo = develop(seen.radiance, exposure * rng.uniform(0.85, 1.15), noise)
    return photo, seen.primitives.astype(np.uint8), _tables(world)  # -1 becomes 255


def _tables(world: World) -> NDArray[np.int16]:
    """Return int16 [5, MAX_PRIMITIVES]: part, instance, class, colour, part name per primitive."""
    names = {part.part_id: part.name for i in world.instances for part in i.parts}
    colors = [list(COLORS).index(i.color) for i in world.instances]
    rows = [
        world.part_ids,
        world.instance_ids,
        world.class_ids - 1,
        [colors[i - 1] for i in world.instance_ids],
        [PARTS.index(names[part]) for part in world.part_ids],
    ]
    tables = np.full((5, MAX_PRIMITIVES), -1, np.int16)
    tables[:, : len(world.primitives)] = np.array(rows)
    return tables
