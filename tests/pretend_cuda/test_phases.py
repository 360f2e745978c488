"""Every phase on the pretended GPU, against itself on the CPU."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from semsplat.arrays import write_arrays
from semsplat.data.manifest import write_manifest
from semsplat.data.scene import Scene
from semsplat.features.lessons import Lessons
from semsplat.features.store import SceneFeatures, ViewFeatures, open_features, write_view
from semsplat.geometry.__main__ import reconstruct
from semsplat.params.geometry import GeometryJob
from semsplat.splat.ply import read_ply
from semsplat.train.model import open_field
from semsplat.train.run import Places, train
from tests.pretend_cuda.device import Counts, pretended_gpu
from tests.pretend_cuda.kernels import pretended_kernels
from tests.unit.train import level_helpers, mask_helpers, test_run
from tests.unit.train.conftest import GEOMETRY, PARAMS

STEPS = 12
SHORT = GEOMETRY.model_copy(
    update={
        "steps": STEPS,
        "densify": GEOMETRY.densify.model_copy(
            update={"start": 3, "stop": 10, "every": 4, "every_floor": 1, "reset_every": 7}
        ),
    }
)
Job = Callable[[Path, str], None]


def both(job: Job, tmp_path: Path) -> tuple[Path, Path, Counts]:
    """Run a job on the CPU and on the pretended GPU; return both folders and what that cost."""
    here, there = tmp_path / "cpu", tmp_path / "cuda"
    job(here, "cpu")
    with pretended_gpu() as counts, pretended_kernels():
        job(there, "cuda")
    return here, there, counts


def compare(here: Path, there: Path) -> None:
    """Ask for equal Gaussians: as many, and each where the other is."""
    one, other = (read_ply(folder / "point_cloud.ply") for folder in (here, there))
    assert {key: value.shape for key, value in one.items()} == {
        key: value.shape for key, value in other.items()
    }
    for key, value in one.items():
        far = (other[key] - value).abs().max() / value.abs().max().clamp(min=1e-3)
        assert far.item() < 2e-3, key
    curves = [
        [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]
        for folder in (here, there)
    ]
    for first, second in zip(*curves, strict=True):
        assert first.keys() - {"seconds"} <= second.keys()
        for key in first.keys() & second.keys():
            if key.startswith("loss"):
                assert second[key] == pytest.approx(first[key], rel=1e-3, abs=1e-5), key


def test_geometry(tiny_scene: Scene, tmp_path: Path) -> None:
    place = {"dataset": "made", "scene": "plane", "seed": 0, "run_seed": 3, "steps_scaler": 1.0}
    config = GeometryJob(**place, geometry=SHORT, log_every=1).model_dump_json()

    def job(out: Path, device: str) -> None:
        scratch = out.with_name(f"{out.name}_scratch")
        reconstruct(tiny_scene.scene_dir, out, scratch, config, 1e9, device)

    compare(*both(job, tmp_path)[:2])


@pytest.fixture(scope="module")
def sources(tiny_scene: Scene, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Write levels, masks, a dense map and a finished geometry."""
    folder = tmp_path_factory.mktemp("sources")
    level_helpers.write_levels(folder / "levels", tiny_scene)
    mask_helpers.write_masks(folder / "masks", tiny_scene)
    level_helpers.write_geometry(folder / "geometry", tiny_scene)
    write_dense(folder / "dense", tiny_scene)
    return {path.name: path for path in folder.iterdir()}


def write_dense(folder: Path, scene: Scene) -> SceneFeatures:
    """Write dense maps of 2 x 2 cells, and texts for two classes."""
    dense = np.array([[[1, 0], [1, 0]], [[0, 1], [0, 1]]], np.float16)
    for frame in scene.frames:
        ids = np.zeros((1, frame.height, frame.width), np.int16)
        view = ViewFeatures(ids, np.ones(1, np.float16), None, dense)
        write_view(folder / "views" / f"{frame.name}.npz", view)
    write_arrays(folder / "text.npz", {"classes": np.eye(2, dtype=np.float32)})
    write_manifest(folder, {"layers": ["all"]})
    return open_features(folder)


def frozen(name: str, **options: Any) -> str:
    """Return a training on finished geometry."""
    return level_helpers.config(name, steps=STEPS, **options)


def joint(name: str, options: dict[str, Any]) -> str:
    """Return a training with its geometry."""
    told = PARAMS["methods"][name] | options
    return test_run.config(method=name, geometry=SHORT, options=told)


VOTES = {"coherent": PARAMS["methods"]["clip_gs"]["coherent"] | {"start": 6}}
CONTRAST = mask_helpers.options().model_dump()
CODER = PARAMS["methods"]["langsplat"]["autoencoder"] | {
    "encoder": [4, 3],
    "decoder": [4],
    "epochs": 2,
}
TABLE = PARAMS["methods"]["le_gaussians"]["codebook"] | {"entries": 2, "epochs": 3}
METHODS: dict[str, tuple[str, tuple[str, ...]]] = {
    "clip_gs": (joint("clip_gs", VOTES), ("lessons",)),
    "feature_3dgs": (joint("feature_3dgs", {}), ("lessons", "dense")),
    "cgc": (joint("cgc", CONTRAST), ("masks",)),
    "cgc that moves geometry": (joint("cgc", CONTRAST | {"moves_geometry": True}), ("masks",)),
    "le_gaussians": (joint("le_gaussians", {"codebook": TABLE}), ("dense",)),
    "gags": (frozen("gags", late_from=6), ("levels", "geometry")),
    "langsplat": (frozen("langsplat", autoencoder=CODER), ("levels", "geometry")),
}


def train_job(name: str, scene: Scene, lessons: Lessons, sources: dict[str, Path]) -> Job:
    config, needs = METHODS[name]
    features = next((sources[one] for one in ("levels", "masks", "dense") if one in needs), None)
    places = Places(
        scene.scene_dir,
        lessons.folder if "lessons" in needs else None,
        features,
        sources["geometry"] if "geometry" in needs else None,
    )

    def job(out: Path, device: str) -> None:
        train(places, out, out.with_name(f"{out.name}_scratch"), config, 1e9, device)

    return job


@pytest.mark.parametrize("name", METHODS)
def test_every_method_learns_what_it_learns_on_the_cpu(
    name: str, tiny_scene: Scene, lessons: Lessons, sources: dict[str, Path], tmp_path: Path
) -> None:
    here, there, counts = both(train_job(name, tiny_scene, lessons, sources), tmp_path)
    compare(here, there)
    one, other = (open_field(folder, "cpu").semantics for folder in (here, there))
    assert (one - other).abs().max() < 2e-2 * one.abs().max().clamp(min=1e-3)
    print(name, counts.syncs.total() / (STEPS + 1), dict(counts.syncs.most_common(30)))
    print(dict(counts.copied.most_common(10)))
