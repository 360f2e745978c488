"""A small world of right answers: a chequered plane, and all that methods learn of its halves.

Its left half, x < 0, is one class and its right half another.  Unit tests learn from it too.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray

from semsplat.arrays import write_arrays
from semsplat.data.manifest import write_manifest
from semsplat.data.scene import Frame, Scene
from semsplat.data.scene_writer import SceneWriter
from semsplat.features.lessons import Lesson, Lessons, open_lessons, write_lesson
from semsplat.features.store import SceneFeatures, ViewFeatures, open_features, write_view
from semsplat.geometry.rgb import start_gaussians
from semsplat.params.geometry import Geometry
from semsplat.splat.ply import write_ply

WIDTH, HEIGHT, FOCAL, DISTANCE = 48, 36, 40.0, 3.0
N_VIEWS = 8
ANNOTATED = (0, 1)  # a held-out view and one for training
CLASSES = [{"id": 3, "name": "left"}, {"id": 8, "name": "right"}]
DIMENSIONS = 8
LAYERS = ["subpart", "part", "whole"]


def sides(dim: int = DIMENSIONS) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return the vectors [dim] of the halves."""
    left, right = np.eye(dim)[:2]
    return left, right


LEFT, RIGHT = sides()


def write_plane(out: Path, times: float = 1.0, n_points: int = 300, depth: float = 0.0) -> None:
    """Write the plane, seen from a row of parallel cameras.

    Args:
        out: the canonical scene.
        times: of the pictures' sizes, 48 x 36 pixels.
        n_points: initial points.
        depth: how far these lie before and behind the plane at most.
    """
    rng = np.random.default_rng(0)
    width, height, focal = round(WIDTH * times), round(HEIGHT * times), FOCAL * times
    K = np.array([[focal, 0, width / 2], [0, focal, height / 2], [0, 0, 1]])
    v, u = np.mgrid[0:height, 0:width] + 0.5
    with SceneWriter(out, dataset="made", scene="plane", source="test", licence="none") as writer:
        for i in range(N_VIEWS):
            x = -0.7 + 0.2 * i
            px = (u - width / 2) / focal * DISTANCE + x
            py = (v - height / 2) / focal * DISTANCE
            check = (np.floor(px * 1.5) + np.floor(py * 1.5)) % 2
            image = np.stack([check, 0.5 + 0.3 * np.sin(2 * px), 1 - check], -1)
            viewmat = np.eye(4)
            viewmat[0, 3] = -x
            split: Literal["train", "test"] = "test" if i % 4 == 0 else "train"
            middle = -x * focal / DISTANCE + width / 2
            found = _halves(middle, width, height) if i in ANNOTATED else None
            pixels = (image * 255).astype(np.uint8)
            writer.add_frame(f"view_{i}", pixels, viewmat, K, split, annotations=found)
        low, high = (-2.5, -1.5, DISTANCE - depth), (2.5, 1.5, DISTANCE + depth)
        xyz = rng.uniform(low, high, (n_points, 3)).astype(np.float32)
        writer.set_points(xyz, rng.integers(0, 255, (n_points, 3), dtype=np.uint8))


def _halves(middle: float, width: int, height: int) -> list[dict[str, Any]]:
    """Return the halves, as LERF-OVS stores them; ``middle`` is the column of x = 0."""
    first, right, low = round(middle), width - 1, height - 1
    boxes = {"left": (0, 0, first - 1, low), "right": (first, 0, right, low)}
    return [
        {"category": name, "bbox": [*box], "segmentation": _corners(*box)}
        for name, box in boxes.items()
    ]


def _corners(x1: int, y1: int, x2: int, y2: int) -> list[list[int]]:
    return [[x1, y1], [x2, y1], [x2, y2], [x1, y2]]


def world_x(frame: Frame) -> NDArray[Any]:
    """Return the plane's x [H, W] that a frame's pixels show."""
    u = np.arange(frame.width) + 0.5
    x = (u - frame.K[0, 2]) / frame.K[0, 0] * DISTANCE - frame.viewmat[0, 3]
    return np.broadcast_to(x, (frame.height, frame.width))


def write_lessons_of(
    folder: Path,
    scene: Scene,
    swap: tuple[str, ...] = (),
    classes: list[dict[str, Any]] = CLASSES,
) -> Lessons:
    """Write lessons that follow the world's x; the views in ``swap`` are taught the opposite.

    With one class all is that one; of more than two the others are never taught.
    """
    train = {frame.name for frame in scene.train}
    for frame in scene.frames:
        right = world_x(frame) > 0
        regions = right.astype(np.int32)
        labels = np.where(right != (frame.name in swap), min(2, len(classes)), 1).astype(np.int32)
        tracks = regions if frame.name in train else None
        write_lesson(folder, frame.name, Lesson(labels, regions, tracks))
    write_manifest(folder, {"classes": classes})
    return open_lessons(folder)


def level_view(frame: Frame, rng: np.random.Generator, dim: int = DIMENSIONS) -> ViewFeatures:
    """Return parts that agree in all views, and sub-parts and a whole that mean nothing in any."""
    right = (world_x(frame) > 0).astype(np.int16)
    stripes = (np.arange(frame.width) * 4 // frame.width).astype(np.int16)
    ids = np.stack([np.broadcast_to(stripes, right.shape), 4 + right, np.full_like(right, 6)])
    noise = rng.normal(size=(5, dim))
    noise /= np.linalg.norm(noise, axis=1, keepdims=True)
    table = np.concatenate([noise[:4], sides(dim), noise[4:]]).astype(np.float16)
    return ViewFeatures(ids, np.ones(7, np.float16), table, None)


def write_levels(
    folder: Path,
    scene: Scene,
    dim: int = DIMENSIONS,
    facts: dict[str, Any] | None = None,
    **views: ViewFeatures,
) -> SceneFeatures:
    """Write features of three levels; ``views`` replaces some by name."""
    rng = np.random.default_rng(5)
    for frame in scene.frames:
        view = views.get(frame.name, level_view(frame, rng, dim))
        write_view(folder / "views" / f"{frame.name}.npz", view)
    write_arrays(folder / "text.npz", {"canonical": _anything(dim)})
    write_manifest(folder, {"layers": LAYERS, **(facts or {})})
    return open_features(folder)


def mask_view(frame: Frame) -> ViewFeatures:
    """Return the halves of the plane as two masks, numbered by chance, with a text's vectors."""
    right = (world_x(frame) > 0).astype(np.int16)
    swapped = sum(map(ord, frame.name)) % 2
    table = np.stack([RIGHT, LEFT] if swapped else [LEFT, RIGHT]).astype(np.float16)
    return ViewFeatures(np.abs(right - swapped)[None], np.ones(2, np.float16), table, None)


def write_masks(folder: Path, scene: Scene, **views: ViewFeatures) -> SceneFeatures:
    """Write masks of every view; ``views`` replaces some by name."""
    for frame in scene.frames:
        view = views.get(frame.name, mask_view(frame))
        write_view(folder / "views" / f"{frame.name}.npz", view)
    write_arrays(folder / "text.npz", {"canonical": _anything(DIMENSIONS)})
    write_manifest(folder, {"layers": ["all"]})
    return open_features(folder)


def write_dense(folder: Path, scene: Scene, dim: int = DIMENSIONS) -> None:
    """Write dense maps of 2 x 2 cells and a region's vector, and texts for two classes."""
    left, right = sides(dim)
    dense = np.stack([left, right, left, right], axis=1).reshape(-1, 2, 2).astype(np.float16)
    for frame in scene.frames:
        ids = np.zeros((1, frame.height, frame.width), np.int16)
        view = ViewFeatures(ids, np.ones(1, np.float16), left[None].astype(np.float16), dense)
        write_view(folder / "views" / f"{frame.name}.npz", view)
    texts = np.stack([left, right]).astype(np.float32)
    write_arrays(folder / "text.npz", {"classes": texts, "canonical": _anything(dim)})
    write_manifest(folder, {"layers": ["all"]})


def _anything(dim: int) -> NDArray[np.float32]:
    """Return a canonical phrase's vector [1, dim], as near to one half as to the other."""
    return (np.sum(sides(dim), axis=0, keepdims=True) / np.sqrt(2)).astype(np.float32)


def write_geometry(folder: Path, scene: Scene, geometry: Geometry) -> Path:
    """Write the plane's points as Gaussians, as a geometry run leaves them."""
    gaussians = start_gaussians(scene, geometry, torch.Generator().manual_seed(0))
    with torch.no_grad():
        gaussians["opacities"].fill_(2.0)
    write_ply(folder / "point_cloud.ply", dict(gaussians))
    return folder
