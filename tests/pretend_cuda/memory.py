"""What a training needs of a GPU's memory: ``python -m tests.pretend_cuda.memory``.

Tensors on the pretended GPU are counted while they live, through a training's steps as the
workflow takes them, with all that autograd and Adam keep.  What lives at most grows with Gaussians
and pixels: it is counted at two sizes that have them in the papers' proportion, 1.5 million to
1600 x 1066, and continued in a straight line.  On top come what the kernels sort, of which the
pretended ones make less, and what `Inputs` keeps of a large set of views.
"""

from __future__ import annotations

import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, NamedTuple
from unittest.mock import patch

import numpy as np
import torch
import yaml
from numpy.typing import NDArray
from torch import Tensor

from semsplat.arrays import write_arrays
from semsplat.bench.gpu.steps import SIZES, Bench
from semsplat.bench.gpu.trainings import (
    SMALL,
    job_of,
    places_of,
    reconstructed,
    short_geometry,
    trained,
)
from semsplat.bench.gpu.world import HEIGHT, WIDTH, write_lessons_of, write_plane
from semsplat.data.manifest import write_manifest
from semsplat.data.scene import Scene, load_scene
from semsplat.features.queries import Texts
from semsplat.features.store import ViewFeatures, write_view
from semsplat.fit.inputs import KEPT_BYTES
from semsplat.fit.trainee import Trainee
from semsplat.train import contrast, parts
from semsplat.train.methods import method_names
from tests.pretend_cuda.device import Pretended, pretended_gpu
from tests.pretend_cuda.kernels import pretended_kernels

N_GAUSSIANS, PIXELS = 1_500_000, 1600 * 1066
SCALES = 0.8, 1.1
"""Of pictures of 48 x 36."""
DIM = 512
CLASSES = [{"id": i, "name": str(i)} for i in range(1, 51)]
QUICK: dict[str, dict[str, Any]] = {
    "clip_gs": {"dim": 16}, "cgc": {"contrast": {"every": 1}, "spatial": {"every": 1}},
    "gaussian_grouping": {"neighbours": {"every": 1}},
    "le_gaussians": {"codebook": {"epochs": 1}, "smoothing": {"every": 1}},
    "langsplat": {"autoencoder": {"epochs": 1}},
    "goi": {"table": {"start_per_view": 400, "start_iterations": 1}},
}  # fmt: skip
"""What differs from params.yaml: every loss at every step, and little before the first."""
TILES, BYTES_OF_TILE = 10, 2 * (8 + 4)
"""That a Gaussian touches, about, and what gsplat sorts of each: a key and a row, in and out."""
STEPS = 10


class Live:
    """Bytes of the tensors that live on the pretended GPU, and the most that did."""

    def __init__(self) -> None:
        self.now, self.most, self.holders = 0, 0, Counter[int]()

    def begin(self) -> None:
        """Forget what lived before."""
        self.most = self.now

    def add(self, made: Pretended) -> None:
        """Count a tensor until it dies; views of one storage count once."""
        storage = made.inner.untyped_storage()
        key, size = storage._cdata, storage.nbytes()
        self.holders[key] += 1
        if self.holders[key] == 1:
            self.now += size
            self.most = max(self.most, self.now)
        made.held = _Held(self, key, size)  # type: ignore[attr-defined]


class _Held:
    """Dies with a tensor, which then counts no more; a weak reference would hinder modules."""

    def __init__(self, live: Live, key: int, size: int) -> None:
        self.live, self.key, self.size = live, key, size

    def __del__(self) -> None:
        self.live.holders[self.key] -= 1
        if not self.live.holders[self.key]:
            self.live.now -= self.size


@contextmanager
def counted() -> Iterator[Live]:
    """Count what lives on the pretended GPU for the life of the block."""
    live, inner = Live(), Pretended.__new__

    def made(cls: type[Pretended], values: Tensor) -> Pretended:
        tensor = inner(cls, values)
        live.add(tensor)
        return tensor

    with patch.object(Pretended, "__new__", made), pretended_gpu(), pretended_kernels():
        yield live


def most_bytes(name: str, scale: float, folder: Path) -> tuple[int, int]:
    """Return the most bytes that live during a step, and the pixels of its picture."""
    params = yaml.safe_load(Path("params.yaml").read_text())
    bench = Bench(folder, params, SIZES["small"], None, None, False, "cuda")
    pixels = round(WIDTH * scale) * round(HEIGHT * scale)
    write_plane(folder / "scene", scale, round(pixels * N_GAUSSIANS / PIXELS))
    scene = load_scene(folder / "scene")
    geometry = short_geometry(bench, STEPS, refine=False).model_copy(update={"sh_every": 1})
    inner = Trainee.set_rates

    def noting(trainee: Trainee, step: int) -> None:
        if step == STEPS - 3:  # all views are there, and Adam has all that it keeps
            live.begin()
        inner(trainee, step)

    write_lessons_of(folder / "lessons", scene, classes=CLASSES)
    write_cells(folder / "dense", scene)
    with ExitStack() as stack:
        for module in (parts, contrast):  # so many of these pixels as of a large view's
            share = round(module.PIXELS_AT_ONCE * pixels / PIXELS)
            stack.enter_context(patch.object(module, "PIXELS_AT_ONCE", share))
        stack.enter_context(patch.object(Trainee, "set_rates", noting))
        live = stack.enter_context(counted())
        if name == "geometry":
            reconstructed(scene.scene_dir, job_of(geometry, 10 * STEPS), folder / name, "cuda")
        else:
            places = places_of(bench, name, scene, folder, DIM)
            with (
                patch.dict(SMALL, {name: QUICK.get(name, {})}),
                patch.object(Texts, "encode", lambda _, texts: torch.ones(len(texts), DIM)),
            ):
                trained(bench, name, geometry, places, folder / name, "cuda", 10 * STEPS)
    return live.most, pixels


def write_cells(folder: Path, scene: Scene) -> None:
    """Write dense maps whose cells are all different, and texts for all classes."""
    random = np.random.default_rng(0)
    cells = normalised(random.normal(size=(DIM, 20, 20)), 0)
    for frame in scene.frames:
        ids = np.zeros((1, frame.height, frame.width), np.int16)
        view = ViewFeatures(ids, np.ones(1, np.float16), None, cells.astype(np.float16))
        write_view(folder / "views" / f"{frame.name}.npz", view)
    texts = normalised(random.normal(size=(len(CLASSES), DIM)), 1).astype(np.float32)
    write_arrays(folder / "text.npz", {"classes": texts, "canonical": texts[:1]})
    write_manifest(folder, {"layers": ["all"]})


def normalised(vectors: NDArray[np.float64], axis: int) -> NDArray[np.float64]:
    """Return vectors along an axis at length 1."""
    return vectors / np.linalg.norm(vectors, axis=axis, keepdims=True)


class Need(NamedTuple):
    """Gigabytes (10^9 bytes) that a training needs in the papers' size."""

    steps: float
    views: float

    @property
    def total(self) -> float:
        return self.steps + self.views


def need(name: str, scales: tuple[float, float] = SCALES) -> Need:
    """Return what a training needs."""
    found = []
    for scale in scales:
        with tempfile.TemporaryDirectory() as folder:
            found.append(most_bytes(name, scale, Path(folder)))
    (few, small), (many, large) = found
    slope = (many - few) / (large - small)
    sorted_bytes = N_GAUSSIANS * TILES * BYTES_OF_TILE
    steps = few + slope * (PIXELS - small) + sorted_bytes
    return Need(steps / 1e9, KEPT_BYTES["cuda"] / 1e9)


def main(names: list[str]) -> None:
    """Print gigabytes of each training."""
    for name in names or ["geometry", *method_names()]:
        one = need(name)
        print(f"{name:<20}{one.steps:6.1f} + {one.views:.1f} = {one.total:.1f} GB", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
