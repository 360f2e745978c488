"""Recipes that run the embedded networks on very small scenes."""

from __future__ import annotations

import shutil
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
import pytest
import torch
import yaml
from PIL import Image

from semsplat.data.scene_writer import SceneWriter
from semsplat.experiment.recipes import features_job, seed_of
from semsplat.experiment.schema import Params
from semsplat.io import write_json
from semsplat.keys import FeaturesKey
from semsplat.params.features import FeaturesJob
from semsplat.splat.ply import write_ply

K = np.array([[40.0, 0, 24], [0, 40.0, 18], [0, 0, 1]])
CLASSES = [{"id": 3, "name": "chair"}, {"id": 7, "name": "mug"}]


@pytest.fixture(scope="session")
def params() -> Params:
    return Params.model_validate(yaml.safe_load(Path("params.yaml").read_text()))


@pytest.fixture
def run_of(params):
    """Return a recipe of params.yaml, its SAM asking few clicks so that tests are quick."""

    def make(name: str, **changes) -> FeaturesJob:
        made = FeaturesKey("made", "scene", name, seed_of(params, name, 0))
        run = features_job(params, made)
        recipe = run.recipe
        fewer = {"points_per_side": 6, "base_points": 1}
        if fewer.keys() & recipe.segmenter.options.keys():
            options = recipe.segmenter.options
            few = {key: fewer.get(key, value) for key, value in options.items()}
            segmenter = recipe.segmenter.model_copy(update={"options": few})
            recipe = recipe.model_copy(update={"segmenter": segmenter})
        return run.model_copy(update={"recipe": recipe.model_copy(update=changes)})

    return make


@pytest.fixture
def write_scene(tmp_path):
    """Return a function that writes a scene of the given images [H, W, 3] with ground truth."""

    def write(images, name="scene", truth_seed=0) -> Path:
        rng = np.random.default_rng(truth_seed)
        out = tmp_path / name / "made" / "scene"
        origin = {"dataset": "made", "scene": "scene", "source": "test", "licence": "none"}
        with SceneWriter(out, **origin) as writer:
            for index, image in enumerate(images):
                viewmat = np.eye(4)
                viewmat[0, 3] = -0.1 * index
                size = image.shape[:2]
                writer.add_frame(
                    f"view_{index}", image, viewmat, K, "test" if index == 1 else "train",
                    labels=rng.choice([0, 3, 7], size).astype(np.int32),
                    instances=rng.integers(0, 9, size).astype(np.int32),
                )  # fmt: skip
            writer.set_semantics({"classes": CLASSES})
        return out

    return write


def write_wall_geometry(folder: Path, z: float, right: float = 4.0) -> Path:
    """Write a geometry run whose Gaussians tile a wall at a world z, up to a world x."""
    x, y = np.meshgrid(np.arange(-3, right, 0.1), np.arange(-2, 2.1, 0.1))
    n = x.size
    gaussians = {
        "means": torch.from_numpy(np.stack([x, y, np.full_like(x, z)], -1).reshape(n, 3)).float(),
        "scales": torch.full((n, 3), -2.5),
        "quats": torch.tensor([[1.0, 0, 0, 0]]).repeat(n, 1),
        "opacities": torch.full((n,), 4.0),
        "sh0": torch.zeros(n, 1, 3),
        "shN": torch.zeros(n, 15, 3),
    }
    folder.mkdir(parents=True)
    write_ply(folder / "point_cloud.ply", gaussians)
    card = {"config": {"geometry": {"sh_degree": 3, "background": "black"}}}
    write_json(folder / "run.json", card)
    return folder


def two_blocks(height=36, width=48) -> np.ndarray:
    """A red and a blue block on grey."""
    image = np.full((height, width, 3), 128, np.uint8)
    image[6:30, 5:22] = (200, 30, 30)
    image[10:28, 27:44] = (30, 40, 200)
    return image


def replace_image(scene: Path, name: str, image: Image.Image) -> None:
    """Put another picture in a canonical scene, as a careless user would."""
    image.save(scene / "images" / f"{name}.png")


class NetworkTouchedError(BaseException):
    """No handler of a library takes it for a network that is down."""


@pytest.fixture(scope="module")
def no_network() -> Iterator[None]:
    """Fail whoever connects or looks up an address."""

    def refuse(*arguments: Any, **_: Any) -> NoReturn:
        raise NetworkTouchedError(arguments)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket.socket, "connect", refuse)
        patch.setattr(socket, "getaddrinfo", refuse)
        yield


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Return a folder for checkpoints, which are too large to stay."""
    path = tmp_path_factory.mktemp("checkpoints")
    yield path
    shutil.rmtree(path)


def first_megabyte(path: Path) -> bytes:
    """Return what an interrupted download leaves."""
    with path.open("rb") as handle:
        return handle.read(1_000_000)


@pytest.fixture(autouse=True)
def _by_hand(by_hand: None) -> None:
    """Files of results are written by hand here; `tests/unit/test_verified.py` has the digests."""
