"""Small result files as the earlier phases write them, in the working directory."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from semsplat.data.images import write_png
from semsplat.data.manifest import write_manifest
from semsplat.data.scene import load_image, load_scene
from semsplat.data.scene_writer import SceneWriter
from semsplat.figures.style import FigureRun
from semsplat.io import write_json
from tests.unit.data.scene_helpers import K, random_image, viewmat_at

RUNS = [FigureRun("toys", scene, seed) for scene in ("shelf", "box") for seed in (0, 1)]

OPTIONS: dict[str, dict[str, Any]] = {
    "views": {"n_views": 2, "row_height_in": 1.2, "error_max": 0.3, "dpi": 80},
    "curves": {"smooth": 5, "width_in": 6.5},
    "gaussians": {"width_in": 6.5},
    "scores": {"digits": {"psnr": 2, "ssim": 4, "lpips": 3}},
}


def run_key(run: FigureRun) -> str:
    return f"{run.scene}-{run.seed}".ljust(32, "0")


def write_scene(scene: str) -> None:
    names = ("left/a", "left/b", "c", "train")
    origin = {"dataset": "toys", "source": "made in a test", "licence": "none"}
    with SceneWriter(Path("data/toys", scene), scene=scene, **origin) as writer:
        for x, name in enumerate(names):
            image = random_image(seed=x) // 4 + np.linspace(0, 190, 16).astype(np.uint8)[:, None]
            split = "train" if name == "train" else "test"
            writer.add_frame(name, image, viewmat_at(x), K, split)  # type: ignore[arg-type]


def write_results(run: FigureRun) -> None:
    rng = np.random.default_rng([run.seed, len(run.scene)])
    lines = [
        {
            "step": step,
            "seconds": 0.1 * step,
            "loss": 0.4 * np.exp(-step / 60) + 0.02 * rng.uniform(),
            "psnr": 25 - 15 * np.exp(-step / 60) + rng.normal(),
            "n_gaussians": 1000 + 400 * (step // 50) * (1 + run.seed),
        }
        for step in range(0, 200, 5)
    ]
    run.geometry_dir.mkdir(parents=True)
    text = "".join(json.dumps(line) + "\n" for line in lines)
    (run.geometry_dir / "metrics.jsonl").write_text(text)
    card = {
        "run_key": run_key(run),
        "numbers": {"n_gaussians": 2000 + run.seed},
        "config": {"geometry": {"steps": 200}},
        "machine": {"gpu": None, "threads": 2},
    }
    write_json(run.geometry_dir / "run.json", card)
    predictions = run.evaluate_dir / "predictions"
    views = {}
    for index, frame in enumerate(load_scene(run.scene_dir).test):
        image = np.clip(load_image(frame) * 0.9 + 5 * index, 0, 255).astype(np.uint8)
        target = predictions / frame.name
        target.parent.mkdir(parents=True, exist_ok=True)
        write_png(target.with_name(f"{target.name}.png"), image)
        depth = np.linspace(0, 3, image.shape[0] * image.shape[1]).reshape(image.shape[:2])
        np.savez_compressed(target.with_name(f"{target.name}.npz"), depth=depth.astype(np.float16))
        views[frame.name] = {"psnr": 20.0 + index + run.seed, "ssim": 0.8}
    write_manifest(predictions, {})
    scores = {
        "protocol": "rgb/held_out@1",
        "n_views": 3,
        "size_px": [16, 12],
        "absent": {"lpips": "alexnet.pth is not there"},
        "metrics": {"psnr": 21.0 + run.seed, "ssim": 0.8},
        "views": views,
    }
    write_json(run.evaluate_dir / "scores.json", scores)


@pytest.fixture
def results(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two scenes, two seeds each, below a fresh working directory."""
    monkeypatch.chdir(tmp_path)
    for scene in ("shelf", "box"):
        write_scene(scene)
    for run in RUNS:
        write_results(run)
    return tmp_path
