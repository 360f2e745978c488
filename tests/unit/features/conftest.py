"""Recipes that run the embedded networks on very small scenes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import yaml
from PIL import Image

from semsplat.data.scene_writer import SceneWriter
from semsplat.params.features import FeaturesRun
from semsplat.params.runs import features_run
from semsplat.params.schema import Params

K = np.array([[40.0, 0, 24], [0, 40.0, 18], [0, 0, 1]])
CLASSES = [{"id": 3, "name": "chair"}, {"id": 7, "name": "mug"}]


@pytest.fixture(scope="session")
def params() -> Params:
    return Params.model_validate(yaml.safe_load(Path("params.yaml").read_text()))


@pytest.fixture
def run_of(params):
    """Return a recipe of params.yaml, its SAM asking few clicks so that tests are quick."""

    def make(name: str, **changes) -> FeaturesRun:
        run = features_run(params, "made", "scene", name)
        recipe = run.recipe
        if "points_per_side" in recipe.segmenter.options:
            few = {**recipe.segmenter.options, "points_per_side": 6}
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


def two_blocks(height=36, width=48) -> np.ndarray:
    """A red and a blue block on grey."""
    image = np.full((height, width, 3), 128, np.uint8)
    image[6:30, 5:22] = (200, 30, 30)
    image[10:28, 27:44] = (30, 40, 200)
    return image


def replace_image(scene: Path, name: str, image: Image.Image) -> None:
    """Put another picture in a canonical scene, as a careless user would."""
    image.save(scene / "images" / f"{name}.png")
