"""LERF-OVS's and Mip-NeRF 360's layouts, written from known cameras, pictures and labels."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pycolmap
from scene_helpers import make_model, random_image, viewmat_at

SIZE = (128, 96)
FOCAL = [120.0, 124.0, 62.0, 50.0]  # fx, fy, cx, cy
POINTS = np.random.default_rng(1).normal(size=(20, 3))


def photograph(seed: int) -> np.ndarray:
    """A blurred grey pattern [96, 128, 3], which looks the same when it is shrunk."""
    grey = np.repeat(random_image(8, 6, seed)[..., :1], 3, axis=2)
    return cv2.resize(grey, SIZE, interpolation=cv2.INTER_LINEAR)


def write_jpg(path: Path, pixels: np.ndarray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(cv2.imencode(".jpg", pixels[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 95])[1])


def read_jpg(path: Path) -> np.ndarray:
    return cv2.imread(str(path), cv2.IMREAD_COLOR)[..., ::-1]


def viewmats(names: list[str]) -> dict[str, np.ndarray]:
    """One camera per image, by place in the list."""
    return {name: viewmat_at(0.2 * place, 3.0 * place) for place, name in enumerate(names)}


def write_photographs(root: Path, names: list[str], folders: dict[str, int] | None = None) -> None:
    """Write a model of full-sized images and its photographs, photograph n in the n-th place.

    ``folders`` is {folder: by how much its images are shrunk}.
    """
    camera = pycolmap.Camera(model="PINHOLE", width=SIZE[0], height=SIZE[1], params=FOCAL)
    (root / "sparse/0").mkdir(parents=True)
    make_model(camera, viewmats(names), POINTS).write_binary(str(root / "sparse/0"))
    for folder, factor in (folders or {"images": 1}).items():
        size = (SIZE[0] // factor, SIZE[1] // factor)
        for place, name in enumerate(names):
            pixels = cv2.resize(photograph(place), size, interpolation=cv2.INTER_AREA)
            write_jpg(root / folder / name, pixels)


def thing(category: str, x: float, y: float, width: float = 6, height: float = 4) -> dict[str, Any]:
    """One labelled rectangle with all keys that the release has; its corners are inside."""
    right, bottom = x + width, y + height
    return {
        "category": category,
        "group": 1,
        "segmentation": [[x, y], [right, y], [right, bottom], [x, bottom]],
        "area": width * height,
        "layer": 1.0,
        "bbox": [x, y, right, bottom],
        "iscrowd": 0,
        "note": "",
    }


def things(count: int, first: int = 0) -> list[dict[str, Any]]:
    """So many rectangles, each of another category."""
    return [thing(f"thing {first + n}", 7.0 * (n % 8), 5.0 * (n // 8 % 8)) for n in range(count)]


def write_label(
    folder: Path, name: str, objects: list[dict[str, Any]], size: tuple[int, int] = SIZE
) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    info = {"name": f"{name}.jpg", "width": size[0], "height": size[1], "depth": 3, "note": ""}
    path = folder / f"{name}.json"
    path.write_text(json.dumps({"info": info, "objects": objects}))
    return path


def write_pairs(folder: Path, names: list[str], pairs: int) -> None:
    """Write labels with so many pairs altogether, spread over the pictures of these names."""
    share, rest = divmod(pairs, len(names))
    for place, name in enumerate(names):
        write_label(folder, name, things(share + (place < rest)))
