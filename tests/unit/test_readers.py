"""Every reader of every format: a damaged file is one line with its name, or reads as some file."""

from __future__ import annotations

import io
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import cv2
import numpy as np
import pytest
import torch
from semsplat.data.llff import read_llff
from semsplat.data.nyu40 import read_label_table

from semsplat.arrays import read_arrays, write_arrays
from semsplat.data.annotations import load_annotations
from semsplat.data.images import read_grey, read_ids, read_rgb
from semsplat.data.register.archives import unpack_archive
from semsplat.data.scannet_sensor import read_pose
from semsplat.data.scene import load_points, load_scene
from semsplat.errors import SemsplatError
from semsplat.features.embedded.archive import read_weights, write_weights
from semsplat.figures.referee.sheet import as_csv, read_records
from semsplat.fit.state import load_state, save_state
from semsplat.io import read_json, write_sealed
from semsplat.networks.pictures import load_pictures
from semsplat.params.networks import ClipShape
from semsplat.splat.ply import read_ply, write_ply
from semsplat.train.model import open_field
from tests.unit.data.scene_helpers import disown, random_image, write_tiny_scene
from tests.unit.evaluate.model_helpers import balls, write_model

FLIPS, TRUNCATIONS = 500, 20
LONGEST = 500  # letters of a message


def png(pixels: np.ndarray) -> bytes:
    return cv2.imencode(".png", pixels)[1].tobytes()


def zipped(out: Path) -> None:
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in ("scene/a.txt", "scene/b.txt"):
            archive.writestr(name, name * 50)


def tarred(out: Path) -> None:
    with tarfile.open(out, "w:gz") as archive:
        for name in ("scene/a.txt", "scene/b.txt"):
            info = tarfile.TarInfo(name)
            info.size = 500
            archive.addfile(info, io.BytesIO(bytes(500)))


def unpacked(path: Path) -> None:
    unpack_archive(path, path.parent / "out")


def scene(path: Path) -> None:
    disown(write_tiny_scene(path.parent))


def field(path: Path) -> None:
    (write_model(path.parent) / "run.json").write_text(
        '{"config": {"geometry": {"sh_degree": 3, "background": "white"}}}'
    )


def annotated(path: Path) -> None:
    corners = [[1, 2], [3, 2], [3, 4], [1, 4]]
    entry = {"category": "red cup", "bbox": [1, 2, 3, 4], "segmentation": corners}
    write_sealed(path, {"info": {"name": "a.png", "width": 16, "height": 12}, "objects": [entry]})


def annotations(path: Path) -> None:
    load_annotations(SimpleNamespace(name="a", annotations_path=path, width=16, height=12))  # type: ignore[arg-type]


def pictures(path: Path) -> None:
    small = np.zeros((1, 4, 4, 3), np.uint8)
    np.savez_compressed(path, images=small, primitives=small[..., 0], tables=small[..., 0])


SHAPE = ClipShape(**{name: 2 for name in ClipShape.model_fields})
TABLE = "id\traw_category\tcategory\tcount\tnyu40id\tnyu40class\n1\twall\twall\t8277\t1\twall\n"
POSES = np.tile(np.hstack([np.eye(3, 4), [[12], [16], [20.0]]]).ravel(), (3, 1))
LLFF = np.hstack([POSES, np.tile([1.0, 9.0], (3, 1))])
Format = tuple[str, Callable[[Path], Any], Callable[[Path], Any]]
FORMATS: dict[str, Format] = {
    "a record": (
        "run.json",
        lambda p: write_sealed(p, {"a": [1, 2.5], "b": {"c": "text"}}),
        read_json,
    ),
    "a photograph": (
        "a.png",
        lambda p: p.write_bytes(png(random_image())),
        lambda p: read_rgb(p, (16, 12)),
    ),
    "a JPEG": (
        "a.jpg",
        lambda p: cv2.imwrite(str(p), random_image()),
        lambda p: read_rgb(p, (16, 12)),
    ),
    "ids": (
        "a.png",
        lambda p: p.write_bytes(png(np.ones((12, 16), np.uint16))),
        lambda p: read_ids(p, (16, 12)),
    ),
    "a mask": ("a.png", lambda p: p.write_bytes(png(np.ones((12, 16), np.uint8))), read_grey),
    "arrays": (
        "a.npz",
        lambda p: write_arrays(p, {"ids": np.arange(99), "v": np.ones((5, 7), np.float16)}),
        read_arrays,
    ),
    "a splat": ("a.ply", lambda p: write_ply(p, balls()), read_ply),
    "points": ("points.ply", scene, lambda p: load_points(SimpleNamespace(points_path=p))),  # type: ignore[arg-type]
    "a scene": ("transforms.json", scene, lambda p: load_scene(p.parent)),
    "a field": ("semantics.safetensors", field, lambda p: open_field(p.parent, "cpu")),
    "weights": (
        "w.safetensors",
        lambda p: write_weights(p, {"a": torch.ones(9)}, SHAPE),
        lambda p: read_weights(p, ClipShape, "tiny CLIP"),
    ),
    "annotations": ("a.json", annotated, annotations),
    "a zip archive": ("a.zip", zipped, unpacked),
    "a tar archive": ("a.tar.gz", tarred, unpacked),
    "LLFF's poses": (
        "poses_bounds.npy",
        lambda p: np.save(p, LLFF),
        lambda p: read_llff(p, ["a", "b", "c"]),
    ),
    "ScanNet's poses": ("0.txt", lambda p: np.savetxt(p, np.eye(4)), read_pose),
    "ScanNet's labels": ("labels.tsv", lambda p: p.write_text(TABLE), read_label_table),
    "pictures": ("p.npz", pictures, lambda p: load_pictures([p])),
    "a table's records": (
        "t.csv",
        lambda p: p.write_text(as_csv([{"row": "a", "mean": 1.5}] * 9)),
        read_records,
    ),
    "a saved state": (
        "state.pt",
        lambda p: save_state(p, "k", 1, 1.0, "", {"a": torch.ones(9)}),
        lambda p: load_state(p, "k"),
    ),
}
"""{format: file, how it is written, how it is read}."""


def damaged(whole: bytes, rng: np.random.Generator) -> list[bytes]:
    """Return a file truncated at every 5 %, and with one flipped bit in random places."""
    files = [whole[: len(whole) * part // TRUNCATIONS] for part in range(TRUNCATIONS)]
    for place in rng.integers(len(whole), size=FLIPS):
        flipped = bytearray(whole)
        flipped[place] ^= 1 << rng.integers(8)
        files.append(bytes(flipped))
    return files


@pytest.mark.parametrize("name", FORMATS)
def test_a_damaged_file_is_one_line(name: str, tmp_path: Path) -> None:
    file, write, read = FORMATS[name]
    path = tmp_path / file
    (tmp_path / "out").mkdir()
    write(path)
    read(path)  # the whole file
    refused = 0
    for content in damaged(path.read_bytes(), np.random.default_rng(0)):
        path.write_bytes(content)
        try:
            read(path)
        except SemsplatError as error:
            message, refused = str(error), refused + 1
            assert "\n" not in message and len(message) < LONGEST + len(str(path)), message
            assert file in message or "frame '" in message, message
    assert refused or name in ("a table's records", "a saved state")
