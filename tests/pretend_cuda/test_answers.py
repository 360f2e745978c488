"""Every answer of every method on the pretended GPU, against itself on the CPU."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import torch

from semsplat.arrays import read_arrays
from semsplat.data.scene import Scene, load_scene
from semsplat.evaluate import jobs
from semsplat.evaluate.answers import Asked, followed
from semsplat.features.lessons import Lessons
from semsplat.features.queries import Texts
from semsplat.io import read_json
from semsplat.params.evaluate import SelectionsJob
from semsplat.train.methods import method
from tests.pretend_cuda.device import pretended_gpu
from tests.pretend_cuda.kernels import pretended_kernels
from tests.pretend_cuda.test_phases import METHODS, train_job

PROMPTS = ["left", "right"]
CLICKED = SelectionsJob(
    grounders=["clip_regions", "points"], clicks={}, grounding_dino=None, sam=None
)


def encode(texts: Texts, prompts: list[str]) -> torch.Tensor:
    """Stand for CLIP: a vector of its own for each prompt."""
    rows = torch.eye(8)[[PROMPTS.index(prompt) for prompt in prompts]]
    return rows.to(texts._device)


def predict(name: str, scene: Scene, model: Path, features: Path, out: Path, device: str) -> Path:
    answers = followed(method(read_json(model / "run.json")["config"]["method"]).ANSWERS)
    asked = Asked(scene, model, features, out.with_name("cache"), {}, device)
    told = CLICKED.model_dump()
    jobs.predict(answers, asked, {"similarity": told, "masks": told}, out)
    return out


def contents(folder: Path) -> dict[str, np.ndarray]:
    """Return all arrays and pictures below a folder, by their names."""
    found: dict[str, Any] = {}
    for path in sorted(folder.rglob("*.*")):
        name = str(path.relative_to(folder))
        if path.suffix == ".npz":
            found |= {f"{name}/{key}": value for key, value in read_arrays(path).items()}
        elif path.suffix == ".png":
            found[name] = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
    return found


@pytest.mark.parametrize("name", METHODS)
def test_answers_are_those_of_the_cpu(
    name: str, tiny_scene: Scene, lessons: Lessons, sources: dict[str, Path], tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setattr(Texts, "encode", encode)
    train_job(name, tiny_scene, lessons, sources)(tmp_path / "model", "cpu")
    needs = METHODS[name][1]
    asked = next((one for one in ("levels", "dense") if one in needs), "masks")
    told = (name, load_scene(tiny_scene.scene_dir), tmp_path / "model", sources[asked])
    expected = contents(predict(*told, tmp_path / "cpu", "cpu"))
    with pretended_gpu(), pretended_kernels():
        found = contents(predict(*told, tmp_path / "cuda", "cuda"))
    assert found.keys() == expected.keys() and expected
    for key, value in expected.items():
        other = found[key]
        assert other.shape == value.shape, key
        if value.dtype.kind == "f":
            far = np.abs(other - value) > 0.01 * max(1.0, float(np.abs(value).max()))
        elif value.dtype.kind == "u":  # pictures, and ids, which are near where they are equal
            far = np.abs(other.astype(int) - value.astype(int)) > 2
        else:
            far = other != value
        assert far.sum() <= 0.01 * far.size, key
