"""Trainings on disk as the workflow leaves them, with everything they were made from."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from semsplat.figures.published import load_measures
from semsplat.io import read_json, sha256_file, write_json, write_sealed
from semsplat.keys import TrainingKey
from semsplat.paths import (
    GEOMETRY,
    evaluate_dir,
    feature_scores_dir,
    features_dir,
    geometry_dir,
    lessons_dir,
    scene_dir,
    train_dir,
)

MACHINE = {"gpu": None, "cpu": "Abacus 2000", "threads": 2, "host": "attic"}
COMMIT = "c0ffee" * 6 + "1234"
OPTIONS = {"teacher": "clip", "moves_geometry": True}
OFFERED = {  # what claims ask of scenes
    "classes": {"iou": {f"class {number}": 0.5 for number in range(6)}},
    "prompts": {f"thing {number}": {} for number in range(7)},
    "counts": {"class_maps/inconsistency@2": {"pairs": 8}},
}
SECONDS = {"features": 100.0, "lessons": 5.0, "geometry": 30.0, "train": 50.0}
PROTOCOLS = {
    key: m.protocol
    for m in load_measures().values()
    for key in (m.name, m.on_real)
    if key and m.protocol
}


def trainings(
    *settings: str, scenes: tuple[str, ...] = ("procedural/room", "procedural/den"), seeds: int = 3
) -> list[TrainingKey]:
    """Trainings of every setting on every scene with every seed."""
    places = [scene.split("/") for scene in scenes]
    return [
        TrainingKey(*p, name, seed) for name in settings for p in places for seed in range(seeds)
    ]


def write_training(training: TrainingKey, **metrics: float) -> None:
    """Write one training and its chain; a metric is a score."""
    dataset, scene, _, seed = training
    place = scene_dir(dataset, scene)
    write_sealed(place / "manifest.json", {"scene": scene, "files": {}})
    geometry, features = (
        geometry_dir(dataset, scene, seed),
        features_dir(dataset, scene, "regions", "all"),
    )
    lessons, train = lessons_dir(dataset, scene, "clip", seed), train_dir(*training)
    write_result(geometry, "geometry", "point_cloud.ply", place, {})
    write_result(features, "features", "manifest.json", place, {})
    write_things(training, best_level_differs=0.5, distance_ratio=2.5)
    sources = {"features": features, "geometry": geometry}
    write_result(lessons, "lessons", "manifest.json", place, sources)
    sources = {"lessons": lessons, "features": features}
    write_result(train, "train", "point_cloud.ply", place, sources, seed=seed)
    folder = evaluate_dir(*training)
    write_sealed(folder / "predictions/manifest.json", {"of": str(training), "files": {}})
    scores = {
        **{"dataset": dataset, "scene": scene, "absent": {}, "missing": []},
        **OFFERED,
        "protocol": "several",
        "protocols": {name: protocol_of(name) for name in metrics},
        "metrics": metrics,
        "size_px": [16, 12],
        "predictions_sha256": sha256_file(folder / "predictions/manifest.json"),
        "truth_sha256": sha256_file(place / "manifest.json"),
    }
    write_sealed(folder / "scores.json", scores)


def write_things(training: TrainingKey, **things: float) -> None:
    """Write what was measured of the things of a training's scene."""
    folder = feature_scores_dir(training.dataset, training.scene, "regions", "all")
    write_sealed(folder / "scores.json", {"things": things})


def protocol_of(metric: str) -> str:
    """Return the protocol of a metric, also where it is about what was taught."""
    for prefix in ("teacher_", "best_vote_"):
        metric = metric.removeprefix(prefix)
    return PROTOCOLS.get(metric, "unknown")


def write_geometry(scene: str, seed: int, **metrics: float) -> TrainingKey:
    """Write a geometry, which is scored as a setting of that name."""
    training = TrainingKey(*scene.split("/"), GEOMETRY, seed)
    write_training(training._replace(setting="clipgs_b"))
    folder = evaluate_dir(*training)
    write_sealed(folder / "predictions/manifest.json", {"of": str(training), "files": {}})
    scores = read_json(evaluate_dir(*training._replace(setting="clipgs_b")) / "scores.json")
    scores |= {
        **{"protocol": "rgb/held_out@2", "metrics": metrics, "n_views": 3},
        "absent": {"lpips": "alexnet.pth is not there"},
        "predictions_sha256": sha256_file(folder / "predictions/manifest.json"),
    }
    write_sealed(folder / "scores.json", scores)
    return training


def write_result(
    folder: Path, kind: str, name: str, place: Path, sources: dict[str, Path], seed: int = 0
) -> None:
    """Write a result and its card."""
    folder.mkdir(parents=True, exist_ok=True)
    if name == "manifest.json":
        write_sealed(folder / name, {"of": str(folder), "files": {}})
    else:
        (folder / name).write_text(f"{kind} of {folder}")
    files = {"lessons": "manifest.json", "features": "manifest.json", "geometry": "point_cloud.ply"}
    inputs = {word: sha256_file(path / files[word]) for word, path in sources.items()}
    words = [text for word, path in sources.items() for text in (f"--{word}", str(path))]
    card: dict[str, Any] = {
        "run_key": f"{kind}-{folder.name}",
        "code": "0123456789abcdef",
        "config": {"geometry": {"steps": 900}, "seed": seed, "options": OPTIONS},
        "privileges": ["class list: of a test"],
        "inputs": {"scene": sha256_file(place / "manifest.json"), **inputs},
        "outputs": {name: sha256_file(folder / name)},
        "numbers": {
            "peak_ram_mb": 900,
            "prepare_s": 2,
            "n_gaussians": 1000,
            "semantic_mb": 12_000 / 2**20,
            "train_s": 60 + 2 * seed,
            "n_train_views": 9,
        },
        "git": {"commit": COMMIT, "dirty": False},
        "machine": MACHINE,
        "wall_s": SECONDS[kind],
        "command": ["python", "-m", f"semsplat.{kind}", "--scene", str(place), *words],
    }
    write_sealed(folder / "run.json", card)


def write_speed(runs: list[TrainingKey], **numbers: float) -> None:
    """Write the speed of all trainings."""
    facts = {"machine": MACHINE, "torch_threads": 2, "protocol": "median of 30"}
    turns = [{"others_busy": 0.01}] * 3
    runs_of = {str(run): numbers for run in runs}
    write_json(Path("results/speed.json"), {**facts, "turns": turns, "runs": runs_of})


def edit_metrics(training: TrainingKey, **metrics: float | None) -> None:
    """Change some scores of a training; None takes one away."""
    merged = {**read_json(training.scores_path)["metrics"], **metrics}
    edit(training.scores_path, metrics={k: v for k, v in merged.items() if v is not None})


Page = dict[str, dict[str, dict[str, str]]]


def read_page(path: Path) -> tuple[Page, list[str]]:
    """Return {title: {row: {column: cell}}} of a Markdown page, and the notes below."""
    blocks = path.read_text().rstrip("\n").split("\n\n")
    titles = [block.removeprefix("### ") for block in blocks if block.startswith("### ")]
    assert len(set(titles)) == len(titles)
    found = [parsed(block) for block in blocks if block.startswith("|")]
    notes = [block for block in blocks if not block.startswith(("###", "|"))]
    return dict(zip(titles, found, strict=True)), notes


def parsed(block: str) -> dict[str, dict[str, str]]:
    """Return {row: {column: cell}} of a Markdown table."""
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in block.splitlines()]
    assert all(len(row) == len(rows[0]) for row in rows)
    assert len({row[0] for row in rows}) == len(rows)
    return {row[0]: dict(zip(rows[0][1:], row[1:], strict=True)) for row in rows[2:]}


def edit(path: Path, **changes: Any) -> None:
    """Change some keys of a file."""
    write_sealed(path, {**read_json(path), **changes})
