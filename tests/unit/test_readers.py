"""Every reader of every format: a damaged file is one line with its name, or reads as some file."""

from __future__ import annotations

import io
import shutil
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

from semsplat.arrays import read_arrays, write_arrays
from semsplat.data.annotations import load_annotations
from semsplat.data.datasets import ovs3d, scannet
from semsplat.data.images import read_grey, read_ids, read_rgb
from semsplat.data.poses import read_table
from semsplat.data.register.archives import unpack_archive
from semsplat.data.scene import load_points, load_scene
from semsplat.errors import SemsplatError
from semsplat.features.embedded.archive import read_weights, write_weights
from semsplat.figures.referee.sheet import as_csv, read_records
from semsplat.fit.state import load_state, state_of, write_state
from semsplat.io import read_json, read_json_lines, write_json, write_sealed
from semsplat.networks.pictures import load_pictures
from semsplat.params.networks import ClipShape
from semsplat.splat.ply import read_ply, write_ply
from semsplat.train.model import open_field
from tests.unit.data.scene_helpers import disown, random_image, write_tiny_scene
from tests.unit.evaluate.model_helpers import balls, write_model

FLIPS, TRUNCATIONS = 500, 20
LONGEST = 500  # letters of a message
SHAPE = ClipShape(**{name: 2 for name in ClipShape.model_fields})
TABLE = "id\traw_category\tcategory\tcount\tnyu40id\tnyu40class\n1\twall\twall\t8277\t1\twall\n"
POSES = np.tile(np.hstack([np.eye(3, 4), [[12], [16], [20.0]]]).ravel(), (3, 1))
LLFF = np.hstack([POSES, np.tile([1.0, 9.0], (3, 1))])


class Format:
    """How a file is written and read."""

    def __init__(self, file: str, write: Callable[[Path], Any], read: Callable[[Path], Any]):
        self.file, self.write, self.read = file, write, read


def picture(pixels: np.ndarray) -> Callable[[Path], Any]:
    return lambda path: path.write_bytes(cv2.imencode(path.suffix, pixels)[1].tobytes())


def zipped(path: Path) -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in ("scene/a.txt", "scene/b.txt"):
            archive.writestr(name, name * 50)


def tarred(path: Path) -> None:
    with tarfile.open(path, "w:gz") as archive:
        for name in ("scene/a.txt", "scene/b.txt"):
            info = tarfile.TarInfo(name)
            info.size = 500
            archive.addfile(info, io.BytesIO(bytes(500)))


def unpacked(path: Path) -> None:
    out = path.parent / "out"
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir()
    unpack_archive(path, out)


def scene(path: Path) -> None:
    disown(write_tiny_scene(path.parent))


def annotated(path: Path) -> None:
    corners = [[1, 2], [3, 2], [3, 4], [1, 4]]
    entry = {"category": "red cup", "bbox": [1, 2, 3, 4], "segmentation": corners}
    write_json(path, {"info": {"name": "a.png", "width": 16, "height": 12}, "objects": [entry]})


def annotations(path: Path) -> None:
    frame: Any = SimpleNamespace(name="a", annotations_path=path, width=16, height=12)
    load_annotations(frame)


def points(path: Path) -> None:
    at: Any = SimpleNamespace(points_path=path)
    load_points(at)


def pictures(path: Path) -> None:
    small = np.zeros((1, 4, 4, 3), np.uint8)
    np.savez_compressed(path, images=small, primitives=small[..., 0], tables=small[..., 0])


def rgb(path: Path) -> None:
    read_rgb(path, (16, 12))


FORMATS = {
    "a record": Format(
        "run.json", lambda path: write_sealed(path, {"a": [1, 2.5], "b": {"c": "text"}}), read_json
    ),
    "a curve": Format(
        "metrics.jsonl",
        lambda path: path.write_text('{"step": 1, "psnr": 9.5}\n' * 9),
        read_json_lines,
    ),
    "a photograph": Format("a.png", picture(random_image()), rgb),
    "a JPEG": Format("a.jpg", picture(random_image()), rgb),
    "ids": Format(
        "a.png", picture(np.ones((12, 16), np.uint16)), lambda path: read_ids(path, (16, 12))
    ),
    "a mask": Format("a.png", picture(np.ones((12, 16), np.uint8)), read_grey),
    "arrays": Format(
        "a.npz",
        lambda path: write_arrays(path, {"ids": np.arange(99), "v": np.ones((5, 7), np.float16)}),
        read_arrays,
    ),
    "a splat": Format("a.ply", lambda path: write_ply(path, balls()), read_ply),
    "points": Format("points.ply", scene, points),
    "a scene": Format("transforms.json", scene, lambda path: load_scene(path.parent)),
    "a field": Format(
        "semantics.safetensors",
        lambda path: write_model(path.parent),
        lambda path: open_field(path.parent, "cpu"),
    ),
    "weights": Format(
        "w.safetensors",
        lambda path: write_weights(path, {"a": torch.ones(9)}, SHAPE),
        lambda path: read_weights(path, ClipShape, "tiny CLIP"),
    ),
    "annotations": Format("a.json", annotated, annotations),
    "a zip archive": Format("a.zip", zipped, unpacked),
    "a tar archive": Format("a.tar.gz", tarred, unpacked),
    "LLFF's poses": Format(
        "poses_bounds.npy",
        lambda path: np.save(path, LLFF),
        lambda path: ovs3d._read_llff(path, ["a", "b", "c"]),
    ),
    "poses": Format("traj.txt", lambda path: np.savetxt(path, np.eye(4)), read_table),
    "ScanNet's labels": Format(
        "labels.tsv", lambda path: path.write_text(TABLE), scannet._read_label_table
    ),
    "pictures": Format("p.npz", pictures, lambda path: load_pictures([path])),
    "a table's records": Format(
        "t.csv", lambda path: path.write_text(as_csv([{"row": "a", "mean": 1.5}] * 9)), read_records
    ),
    "a saved state": Format(
        "state.pt",
        lambda path: write_state(path, state_of("k", 1, 1.0, "", {"a": torch.ones(9)})),
        lambda path: load_state(path, "k"),  # says so itself, and starts over
    ),
}


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
    form = FORMATS[name]
    path = tmp_path / form.file
    form.write(path)
    form.read(path)
    refused = 0
    for content in damaged(path.read_bytes(), np.random.default_rng(0)):
        path.write_bytes(content)
        try:
            form.read(path)
        except SemsplatError as error:
            message, refused = str(error), refused + 1
            assert "\n" not in message and len(message) < LONGEST + len(str(path)), message
            assert form.file in message or "frame '" in message, message
    assert refused or name == "a saved state"


@pytest.mark.parametrize("content", [b"", bytes(4096), b"[" * 100_000, b"\xff\xfe" * 9])
@pytest.mark.parametrize("name", FORMATS)
def test_a_file_of_something_else_is_one_line(name: str, content: bytes, tmp_path: Path) -> None:
    form = FORMATS[name]
    path = tmp_path / form.file
    form.write(path)
    path.write_bytes(content)
    if name in ("a saved state", "a curve", "a table's records"):  # nothing may be one of these
        try:
            form.read(path)
        except SemsplatError as error:
            assert "\n" not in str(error) and form.file in str(error)
        return
    with pytest.raises(SemsplatError, match=form.file.replace(".", r"\.")) as caught:
        form.read(path)
    assert "\n" not in str(caught.value)


def test_a_header_that_promises_too_much_is_refused_before_memory_is_made(tmp_path: Path) -> None:
    header = "ply\nformat ascii 1.0\nelement vertex 1000000000\nproperty float x\nend_header\n1\n"
    (tmp_path / "a.ply").write_text(header)
    with pytest.raises(SemsplatError, match=r"a\.ply: .*promises 1000000000 lines"):
        read_ply(tmp_path / "a.ply")
