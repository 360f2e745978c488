"""Small result files as the earlier phases write them, in the working directory."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pytest
import yaml
from matplotlib.figure import Figure

from semsplat.arrays import write_arrays
from semsplat.data.images import write_png
from semsplat.data.manifest import write_manifest
from semsplat.data.scene import load_image, load_scene
from semsplat.data.scene_writer import SceneWriter
from semsplat.evaluate.feature_scores import score_features
from semsplat.features.store import ViewFeatures
from semsplat.figures import OF_TRAININGS, figure_kind, figure_kinds
from semsplat.io import write_json
from semsplat.keys import GeometryKey, SceneKey
from tests.unit.data.scene_helpers import K, random_image, viewmat_at
from tests.unit.evaluate.feature_helpers import CLASSES, features_of, write_features
from tests.unit.evaluate.model_helpers import write_grouped, write_model

RUNS = [GeometryKey("toys", scene, seed) for scene in ("shelf", "box") for seed in (0, 1)]

SCENES = [SceneKey("toys", scene) for scene in ("shelf", "box")]
RECIPE = "regions/all"
ASKED_AT: dict[str, Any] = {
    "points": np.array([[0, 0], [15, 11], [7, 3]], np.float32),
    "depth": np.linspace(0, 4, 12 * 16).reshape(12, 16).astype(np.float16),
}
KINDS = [kind for kind in figure_kinds() if figure_kind(kind).SCOPE not in OF_TRAININGS]
"""What shows trainings has tests of its own, which write what these read."""
SETTINGS = {"flat": "(a) flat", "coherent": "(b) + coherent"}  # both learn from the teacher "clip"

CONFIG = yaml.safe_load((Path(__file__).parents[3] / "params.yaml").read_text())
HERE = {"settings": SETTINGS, "datasets": [], "recipe": RECIPE, "beside": RECIPE}
SMALL = {"n_views": 2, "n_pairs": 2, "n_prompts": 2, "row_height_in": 1.2, "dpi": 80}
OWN: dict[str, dict[str, Any]] = {
    "views": {"error_max": 0.3},
    "curves": {"smooth": 5, "width_in": 6.5},
    "gaussians": {"width_in": 6.5},
    "prompts": {"layer": "all"},
    "inconsistency": {"labels": "region"},
    "class_maps": {"row_height_in": 1.5},
    "consistency": {"row_height_in": 1.4},
    "relevancy": {"protocol": "lerf_ovs/segmentation@1"},
    "clicks": {"grounder": "points", "n_views": 1},
    "extraction": {"grounder": "points"},
    "splats": {"scenes": [], "seed": 0},
    "class_queries": {"classes": ["lamp"], "n_train_views": 1, "votes_of": "flat"},
}
"""What tests say of a kind beside what they say of all."""


def options_of(kind: str) -> dict[str, Any]:
    """Return the options of the first figure of a kind in params.yaml, with these results."""
    figures = [figure for figure in CONFIG["figures"].values() if figure["kind"] == kind]
    assert figures, f"params.yaml draws no {kind}"
    options: dict[str, Any] = figures[0]["options"]
    changed = {key: value for key, value in (HERE | SMALL).items() if key in options}
    return {**options, **changed, **OWN.get(kind, {})}


OPTIONS = {kind: options_of(kind) for kind in KINDS}


# where the prompts are, x1 y1 x2 y2, in the held-out views "left/a" and "c"
PROMPTS = {"lamp": (8, 0, 15, 11), "lamp shade": (8, 0, 15, 3), "wall": (0, 0, 7, 11)}
LAMP = {
    **{"id": 1, "class_name": "lamp"},
    "parts": [{"id": 1, "name": "shade"}, {"id": 2, "name": "stand"}],
}
GEOMETRY = {"steps": 150, "sh_degree": 3, "background": "white"}


def setting_key(run: GeometryKey, setting: str) -> str:
    return f"{setting}-{run.scene}-{run.seed}".ljust(32, "0")


def run_key(run: GeometryKey) -> str:
    return f"{run.scene}-{run.seed}".ljust(32, "0")


def write_scene(scene: str) -> None:
    names = ("left/a", "left/b", "c", "train", "later/b", "later/c")
    truth = np.where(np.arange(16) < 8, 2, 5) + np.zeros((12, 1), int)
    origin = {"dataset": "toys", "source": "made in a test", "licence": "none"}
    with SceneWriter(Path("data/toys", scene), scene=scene, **origin) as writer:
        for x, name in enumerate(names):
            image = random_image(seed=x) // 4 + np.linspace(0, 190, 16).astype(np.uint8)[:, None]
            if x < 3:
                labels = None if name == "left/b" else truth
                found = None if name == "left/b" else [labelled(p) for p in PROMPTS]
                writer.add_frame(
                    name, image, viewmat_at(x), K, "test", labels=labels, annotations=found
                )
            else:
                maps: dict[str, Any] = {"labels": truth, "depth": np.full((12, 16), 4, np.float32)}
                writer.add_frame(name, image, viewmat_at(0.2 * x), K, "train", **maps)
        classes = [{"id": i, "name": n} for i, n in CLASSES.items()]
        writer.set_semantics({"classes": classes, "objects": [LAMP]})


def labelled(prompt: str) -> dict[str, Any]:
    """Return a prompt's box as LERF-OVS stores it."""
    x1, y1, x2, y2 = PROMPTS[prompt]
    polygon = [[x1, y1], [x2, y1], [x2, y2], [x1, y2]]
    return {"category": prompt, "bbox": [x1, y1, x2, y2], "segmentation": polygon}


def write_relevancy(folder: Path, frame: str, level: float) -> None:
    """Write predictions: 0.5 + level on a prompt's box, and 0.4 elsewhere; none of the wall."""
    prompts = [prompt for prompt in PROMPTS if prompt != "wall"]
    maps = np.full((len(prompts), 1, 12, 16), 0.4, np.float16)
    for found, prompt in zip(maps, prompts, strict=True):
        x1, y1, x2, y2 = PROMPTS[prompt]
        found[:, y1 : y2 + 1, x1 : x2 + 1] = 0.5 + level
    shares = np.full((3, 12, 16), 0.25, np.float16)
    shares[1] += np.float16(level)
    shares[0] = 1 - shares[1] - shares[2]
    arrays = {"prompts": np.array(prompts), "relevancy": maps, "factors": shares}
    write_arrays(folder / "relevancy" / f"{frame}.npz", arrays)


def write_selections(folder: Path, shift: int) -> None:
    """Write a setting's predictions: the lamp's mask, and one for the wall in the first view.

    ``shift`` is how many columns the lamp's mask is off; the shade could not be found.
    """
    asked = {"lamp": {"view": "left/a", "pixel": [11, 6]}, "lamp shade": {"missing": "no region"}}
    wall = {"view": "c", "pixel": [2, 3]}
    grounding = {"points": {**asked, "wall": wall}, "clip_regions": {}, "clicks": {}}
    write_json(folder / "predictions/grounding.json", grounding)
    x1, y1, x2, y2 = PROMPTS["lamp"]
    for name in ("left/a", "left/b", "c"):
        prompts = ["lamp", "wall"] if name == "left/a" else ["lamp"]
        masks = np.zeros((len(prompts), 12, 16), bool)
        masks[:, y1 : y2 + 1, x1 - shift : x2 + 1 - shift] = True
        found: dict[str, Any] = {}
        for grounder in grounding:
            of_it = slice(None) if grounder == "points" else slice(0)
            found |= {
                f"{grounder}.prompts": np.array(prompts[of_it], dtype=str),
                f"{grounder}.masks": masks[of_it],
                f"{grounder}.gaussians": masks[of_it],
                f"{grounder}.scene_prompts": np.array(["lamp", "wall"][of_it], dtype=str),
                f"{grounder}.classes": np.full((12, 16), -1, np.int16),
            }
        write_arrays(folder / "predictions/selections" / f"{name}.npz", found)
        picture = np.full((12, 16, 3), 40 * shift, np.uint8)
        write_png(folder / "predictions/features" / f"{name}.png", picture)
        write_png(folder / "clusters/maps" / f"{name}.png", masks[0].astype(np.uint16) + 1)
    for number in range(2):
        picture = np.full((12, 16, 3), 40 * shift + number, np.uint8)
        write_png(folder / "predictions/extracted/points" / f"{number}.png", picture)
    ari = {"left/a": 0.5, "left/b": None, "c": 0.25}
    write_json(folder / "clusters/scores.json", {"protocol": "instances/ari@1", "ari": ari})
    write_manifest(folder / "clusters", {})


def query_scores(run: GeometryKey, place: int) -> dict[str, Any]:
    """Return what the scores say about prompts; ``place`` is the setting's."""
    values = {"localisation": 0.5, "query_miou": 0.25 + 0.125 * run.seed + 0.0625 * place}
    values |= {"localisation_scaled": 0.75, "query_miou_frozen": 0.5}
    values |= {"points_mask_miou": 0.25 + 0.125 * run.seed, "points_argmax_miou": 0.5}
    by_prompt = {
        prompt: values if prompt != "wall" else {**values, "query_miou": 0} for prompt in PROMPTS
    }
    return {
        **{"dataset": run.dataset, "scene": run.scene, "seed": run.seed},
        "metrics": values | {f"part_{name}": value / 2 for name, value in values.items()},
        "prompts": {prompt: {"views": 2} for prompt in PROMPTS},
        "queries": {"left/a": by_prompt, "c": by_prompt},
        "missing": [["left/a", "wall"], ["c", "wall"]],
        "grounders": {"points": {"pairs": 6, "beyond_pairs": 4, "missing": 2}},
        "absent": {"train_localisation": "no training view is annotated"},
    }


def write_feature_results(place: SceneKey, views: dict[str, ViewFeatures] | None = None) -> None:
    """Write features of all training views, each labelled its own way, and their scores."""
    halves = np.where(np.arange(16) < 8, 0, 1) + np.zeros((12, 1), int)
    frames, held_out = load_scene(place.scene_dir).train, load_scene(place.scene_dir).test
    default = {
        frame.name: replace(
            features_of(halves, [1, 2 + index % 2], np.array([[1, 2], [1, 3]])), **ASKED_AT
        )
        for index, frame in enumerate(frames)
    }
    default |= {f.name: features_of(halves, [1, 2], np.array([[1, 2], [1, 3]])) for f in held_out}
    folder = place.features_dir(RECIPE)
    write_features(folder, default | (views or {}))
    score_features(place.scene_dir, folder, place.scores_dir(RECIPE) / "scores.json")


def write_results(run: GeometryKey) -> None:
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
        "protocol": "rgb/held_out@2",
        "n_views": 3,
        "size_px": [16, 12],
        "absent": {"lpips": "alexnet.pth is not there"},
        "metrics": {"psnr": 21.0 + run.seed, "ssim": 0.8},
        "views": views,
    }
    write_json(run.evaluate_dir / "scores.json", scores)


def write_setting(run: GeometryKey, setting: str, place: int) -> None:
    """Write the card, class maps and scores of a training; ``place`` is the setting's."""
    card = {
        "run_key": setting_key(run, setting),
        "config": {
            **{"seed": run.seed, "geometry": GEOMETRY},
            **{"options": {"teacher": "clip"}},
        },
        "inputs": {"lessons": "of the teacher clip"},
        "numbers": {
            **{"n_gaussians": 2000 + 100 * place, "semantic_mb": 0.25, "semantic_dim": 3},
            **{"train_s": 60 + 2 * run.seed, "peak_ram_mb": 900},
            **{"compile_s": 1.5, "prepare_s": 2.5},
        },
    }
    train = run.train_dir(setting)
    write_grouped(train) if place else write_model(train, class_ids=list(CLASSES))
    write_json(train / "run.json", card)
    folder, scene = run.setting_dir(setting), load_scene(run.scene_dir)
    border = 6 + place + run.seed
    for index, frame in enumerate(scene.frames):
        ids = np.where(np.arange(16) < border + index % 2, 2, 5) + np.zeros((12, 1), int)
        write_png(folder / "predictions/classes" / f"{frame.name}.png", ids.astype(np.uint16))
    image = np.full((12, 16, 3), 60 * place, np.uint8)
    for frame in scene.test:
        write_png(folder / "predictions" / f"{frame.name}.png", image)
    votes = {f.name: np.full((12, 16), 5, np.uint16) for f in scene.train}
    write_arrays(folder / "votes.npz", votes)
    for name in ("left/a", "c"):
        write_relevancy(folder / "predictions", name, 0.25 + 0.125 * place)
    write_selections(folder, place)
    write_manifest(folder / "predictions", {})
    miou = {"shelf": 0.5, "box": 0.7}[run.scene] + 0.1 * run.seed + 0.05 * place
    views = {
        frame.name: {"psnr": 20.0, "ssim": 0.8}
        | ({"miou": miou, "accuracy": 0.875} if frame.labels_path else {})
        for frame in scene.test
    }
    protocols = {"psnr": "rgb/held_out@2", "miou": "clipgs/image_mean@1"}
    protocols |= {"pooled_miou": "class_maps/pooled@1"}
    inconsistency = 0.125 / (1 + place)
    scores = {
        **query_scores(run, place),
        "size_px": [16, 12],
        "protocols": protocols,
        "metrics": {
            **query_scores(run, place)["metrics"],
            **{"psnr": 20.0 + run.seed, "miou": miou, "accuracy": 0.875, "pooled_miou": 0.5},
            **{"class_accuracy": 0.75, "inconsistency": inconsistency, "train_miou": 0.625},
            **{f"teacher_{name}": 0.25 for name in ("miou", "accuracy", "train_miou")},
        },
        "views": views,
        "classes": {
            **{"share": {"wall": 0.25, "lamp": 0.75}, "iou": {"wall": miou, "lamp": 0.9}},
            **{f"{who}_iou": {"wall": 0.5, "lamp": 0.4} for who in ("teacher", "best_vote")},
        },
        "pairs": [
            {"views": [a.name, b.name], "inconsistency": inconsistency, "teacher_inconsistency": 0}
            for a, b in pairwise(scene.train)
        ],
    }
    write_json(folder / "scores.json", scores)
    verdict = np.where(np.arange(16) < 2, 0, 1) + np.zeros((12, 1), int)
    verdict[:, border] = 2
    pairs = {str(index): verdict.astype(np.uint8) for index in range(len(scene.train) - 1)}
    write_arrays(folder / "inconsistency.npz", pairs)


def write_speed() -> None:
    """Write the speed of all trainings: 30 frames a second, one more per seed."""
    names = {f"{r.dataset}/{r.scene}/{name}/{r.seed}": r for r in RUNS for name in SETTINGS}
    speed = {
        "machine": {"gpu": None, "cpu": "Abacus 2000"},
        "torch_threads": 2,
        "runs": {
            name: {
                **{"fps": 30.0 + run.seed, "render_ms": 4.0, "predict_ms": 8.0 + run.seed},
                "mask_ms": 12.5,
            }
            for name, run in names.items()
        },
    }
    write_json(Path("results/speed.json"), speed)


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Figure]]:
    """Keep what is drawn, to read its texts."""
    kept: list[Figure] = []
    monkeypatch.setattr(plt, "close", kept.append)
    yield kept
    monkeypatch.undo()
    plt.close("all")


def texts(figure: Figure) -> set[str]:
    """Return everything that can be read in a figure."""
    axes = [axis for axis in figure.axes if axis.get_visible()]
    found = {t for a in axes for t in (a.get_title(), a.get_xlabel(), a.get_ylabel())}
    found |= {t.get_text() for legend in figure.legends for t in legend.get_texts()}
    return (found | {figure.get_suptitle()}) - {""}


@pytest.fixture
def results(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two scenes, two seeds each, below a fresh working directory."""
    monkeypatch.chdir(tmp_path)
    for scene in ("shelf", "box"):
        write_scene(scene)
    for run in RUNS:
        write_results(run)
        for index, setting in enumerate(SETTINGS):
            write_setting(run, setting, index)
    write_speed()
    for place in SCENES:
        write_feature_results(place)
    return tmp_path


@pytest.fixture(scope="session")
def page_project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project with a page; tests change copies of it."""
    from tests.unit.figures.page_helpers import write_project

    folder = tmp_path_factory.mktemp("page")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        write_project()
    return folder
