"""Write a world as Semantic-NeRF lays out its Replica renders, plus object parts.

::

    info_semantic.json                              classes, objects, parts, camera
    Sequence_1/traj_w_c.txt                         row-wise camera-to-world 4x4, one line a view
    Sequence_1/rgb/rgb_0.png                        8-bit sRGB
    Sequence_1/depth/depth_0.png                    16-bit, millimetres of camera z
    Sequence_1/semantic_class/semantic_class_0.png  8-bit class ids, 0 = void
    Sequence_1/semantic_instance/...                16-bit instance ids, 0 = none
    Sequence_1/semantic_part/...                    16-bit part ids, 0 = none (not in Replica)
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from semsplat.data.world.kinds import make_world
from semsplat.data.world.primitives import World
from semsplat.data.world.raycast import camera_path, develop, measure_exposure, render_view
from semsplat.errors import SemsplatError
from semsplat.io import write_json
from semsplat.log import progress

SEQUENCE = "Sequence_1"
_NOISE_STREAM = 2


def view_ids(world: World, primitives: NDArray[np.int32]) -> dict[str, NDArray[Any]]:
    """Return class (uint8), instance and part (uint16) ids [H, W] of primitive ids [H, W]."""
    tables: dict[str, NDArray[Any]] = {
        "class": world.class_ids.astype(np.uint8),
        "instance": world.instance_ids,
        "part": world.part_ids,
    }
    # A trailing zero makes primitive -1 (nothing seen) map to id 0.
    return {name: np.append(ids, ids.dtype.type(0))[primitives] for name, ids in tables.items()}


def semantic_info(world: World, width: int, height: int, hfov_deg: float) -> dict[str, Any]:
    """Return the content of ``info_semantic.json``; the camera is an addition to Replica's."""
    return {
        "classes": [{"id": k + 1, "name": name} for k, name in enumerate(world.class_names)],
        "objects": [
            {
                "id": instance.instance_id,
                "class_id": world.class_id(instance),
                "class_name": instance.class_name,
                "color": instance.color,
                "parts": [{"id": part.part_id, "name": part.name} for part in instance.parts],
            }
            for instance in world.instances
        ],
        "camera": {"width": width, "height": height, "hfov_deg": hfov_deg},
    }


def _save(folder: Path, kind: str, index: int, pixels: NDArray[Any]) -> None:
    """Write ``<folder>/<kind>/<kind>_<index>.png``; the bit depth follows the array's type."""
    path = folder / kind / f"{kind}_{index}.png"
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path)


def draw_world(
    kind: str,
    seed: int,
    n_views: int,
    width: int,
    height: int,
    hfov_deg: float,
    out_dir: Path,
) -> None:
    """Draw views of the world of a kind and a seed along its path into ``out_dir``.

    ``width`` and ``height`` are in pixels, ``hfov_deg`` is the horizontal field of view in degrees.
    Raises a one-line `SemsplatError`, and draws nothing, for what cannot be drawn.
    """
    if n_views < 1 or width < 1 or height < 1:
        raise SemsplatError(
            f"cannot draw {n_views} views of {width}x{height} pixels: all three must be at least 1"
        )
    if not 0.0 < hfov_deg < 180.0:
        raise SemsplatError(f"a field of view of {hfov_deg} degrees is impossible; use 1 to 170")
    world = make_world(kind, seed)
    poses = camera_path(world, n_views)
    exposure = measure_exposure(world, hfov_deg)
    folder = out_dir / SEQUENCE
    for index in progress(range(n_views), "draw"):
        view = render_view(world, poses[index], width, height, hfov_deg)
        noise = np.random.default_rng([world.seed, _NOISE_STREAM, index])
        _save(folder, "rgb", index, develop(view.radiance, exposure, noise))
        millimetres = np.clip(np.rint(view.depth * 1000.0), 0, 65535)  # 0 where nothing was seen
        _save(folder, "depth", index, millimetres.astype(np.uint16))
        for name, ids in view_ids(world, view.primitives).items():
            _save(folder, f"semantic_{name}", index, ids)
    np.savetxt(folder / "traj_w_c.txt", poses.reshape(n_views, 16), fmt="%.17g")
    write_json(out_dir / "info_semantic.json", semantic_info(world, width, height, hfov_deg))
