"""Each reader of results compares the file it opens: another file that reads as well is refused."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import cv2
import numpy as np
import pytest

from semsplat.arrays import read_arrays, write_arrays
from semsplat.data.annotations import load_annotations, stored_annotations
from semsplat.data.images import image_size, read_grey, read_ids, read_rgb
from semsplat.data.manifest import write_manifest
from semsplat.data.scene import load_points, load_scene, load_semantics
from semsplat.errors import SemsplatError
from semsplat.evaluate.selections import read_places
from semsplat.figures.style import read_curve
from semsplat.io import write_json
from semsplat.splat.ply import read_ply, write_ply
from semsplat.track.mlflow_log import _curve
from semsplat.train.model import open_field
from tests.unit.data.scene_helpers import random_image
from tests.unit.evaluate.model_helpers import balls, write_grouped, write_model

Write = Callable[[Path, int], Any]
CUP = {"category": "cup", "bbox": [1, 2, 3, 4], "segmentation": [[1, 2], [3, 2], [3, 4], [1, 4]]}


def png(path: Path, number: int) -> None:
    cv2.imwrite(str(path), random_image(seed=number))


def ids(path: Path, number: int) -> None:
    cv2.imwrite(str(path), np.full((12, 16), number + 1, np.uint8))


def json_of(path: Path, number: int) -> None:
    write_json(path, {"frames": [], "classes": [], "number": number})


def annotated(path: Path, number: int) -> None:
    info = {"name": f"a{number}.png", "width": 16, "height": 12}
    write_json(path, {"info": info, "objects": [CUP]})


def curve(path: Path, number: int) -> None:
    path.write_text(f'{{"step": 0, "seconds": 1.0, "psnr": {number}}}\n')


def field(path: Path, number: int) -> None:
    """Write either of two fields that both fit the Gaussians beside them."""
    (write_model if number else write_grouped)(path.parent)


def splat(path: Path, number: int) -> None:
    write_ply(path, {key: value + number for key, value in balls().items()})


def points(path: Path, number: int) -> None:
    path.write_text(
        "ply\nformat ascii 1.0\nelement vertex 1\nproperty float x\nproperty float y\n"
        "property float z\nproperty uchar red\nproperty uchar green\nproperty uchar blue\n"
        f"end_header\n{number} 2 3 1 2 3\n"
    )


def at(**values: Any) -> Any:
    return SimpleNamespace(**values)


def frame(path: Path) -> Any:
    return at(name="a", annotations_path=path, width=16, height=12)


def curve_of(path: Path) -> list[Any]:
    return read_curve(at(geometry_dir=path.parent))  # type: ignore[arg-type]


READERS: dict[str, tuple[str, Write, Callable[[Path], Any]]] = {
    "photograph": ("a.png", png, lambda p: read_rgb(p, (16, 12))),
    "size": ("a.png", png, image_size),
    "ids": ("a.png", ids, lambda p: read_ids(p, (16, 12))),
    "mask": ("a.png", ids, read_grey),
    "arrays": ("a.npz", lambda p, n: write_arrays(p, {"n": np.full(3, n)}), read_arrays),
    "splat": ("point_cloud.ply", splat, read_ply),
    "points": ("points.ply", points, lambda p: load_points(at(points_path=p))),
    "field": ("semantics.safetensors", field, lambda p: open_field(p.parent, "cpu")),
    "transforms": ("transforms.json", json_of, lambda p: load_scene(p.parent)),
    "semantics": ("semantics.json", json_of, lambda p: load_semantics(at(scene_dir=p.parent))),
    "annotations": ("a.json", annotated, lambda p: load_annotations(frame(p))),
    "stored annotations": ("a.json", annotated, lambda p: stored_annotations(frame(p))),
    "grounding": ("grounding.json", json_of, lambda p: read_places(p.parent, at(frames=()))),
    "curve": ("metrics.jsonl", curve, curve_of),
    "curve of MLflow": ("metrics.jsonl", curve, lambda p: list(_curve(p, 0))),
}
"""{what: file, how one of two is written, how it is read}."""


@pytest.mark.parametrize("what", READERS)
def test_another_file_in_its_place_is_refused(what: str, tmp_path: Path) -> None:
    file, write, read = READERS[what]
    other, folder = tmp_path / "other" / file, tmp_path / "results"
    for place, number in ((other, 1), (folder / file, 0)):
        place.parent.mkdir()
        write(place, number)
    write_manifest(folder, {})
    shutil.copyfile(other, folder / file)
    assert other.read_bytes() == (folder / file).read_bytes()
    with pytest.raises(SemsplatError, match=r"is not the file that .*manifest\.json records"):
        read(folder / file)
