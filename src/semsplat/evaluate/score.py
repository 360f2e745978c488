"""Scores from predictions on disk, and the suite's table of all scores."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path
from statistics import fmean
from typing import Any

from semsplat.data.scene import Scene, load_scene
from semsplat.evaluate.lpips import Lpips
from semsplat.evaluate.protocols import rgb_held_out
from semsplat.io import read_json, sha256_file, write_json


def score_rgb(scene_dir: Path, predictions_dir: Path, out: Path, lpips_net: str) -> None:
    """Write ``scores.json`` of one run under protocol ``rgb/held_out@2``."""
    write_json(out, rgb_scores(load_scene(scene_dir), predictions_dir, out, lpips_net))


def rgb_scores(scene: Scene, predictions_dir: Path, out: Path, lpips_net: str) -> dict[str, Any]:
    """Return what ``scores.json`` at ``out`` says about the colours of held-out views.

    Where a benchmark trains on every view, as GAGS's does, there is no score, and it says so.
    """
    lpips = Lpips(lpips_net)
    absent = {} if lpips.available else {"lpips": lpips.reason}
    absent |= {} if scene.test else dict.fromkeys(rgb_held_out.METRICS, "no view is held out")
    frames = rgb_held_out.score_views(scene.test, predictions_dir, lpips)
    missing = [f.name for f in scene.test if rgb_held_out.is_missing(f, predictions_dir)]
    dataset, name, setting, seed = out.parts[-5:-1]
    return {
        "protocol": rgb_held_out.NAME,
        "dataset": dataset,
        "scene": name,
        "setting": setting,
        "seed": int(seed),
        "n_views": len(frames),
        "size_px": [scene.frames[0].width, scene.frames[0].height],
        "missing": missing,
        "counts": {rgb_held_out.NAME: {"pairs": len(frames), "missing": len(missing)}},
        "absent": absent,
        "metrics": mean_metrics(list(frames.values())),
        "views": frames,
        "predictions_sha256": sha256_file(predictions_dir / "manifest.json"),
        "truth_sha256": sha256_file(scene.scene_dir / "manifest.json"),
    }


def mean_metrics(rows: list[dict[str, float]]) -> dict[str, float]:
    """Return the mean of every metric that all rows hold: a mean over some would mislead."""
    common = [metric for metric in rows[0] if all(metric in row for row in rows)] if rows else []
    return {metric: fmean(row[metric] for row in rows) for metric in common}


def collect(score_paths: list[Path], out: Path) -> None:
    """Write ``metrics.json``: per data set, scene and setting the mean of each metric over seeds.

    Names are nested the way ``dvc metrics diff`` shows best: ``procedural.room.geometry.psnr``.
    """
    groups: dict[tuple[str, str, str], list[dict[str, float]]] = defaultdict(list)
    for path in score_paths:
        scores = read_json(path)
        groups[scores["dataset"], scores["scene"], scores["setting"]].append(scores["metrics"])
    table: dict[str, Any] = {}
    for (dataset, scene, setting), rows in sorted(groups.items()):
        means = {metric: round(value, 6) for metric, value in mean_metrics(rows).items()}
        table.setdefault(dataset, {}).setdefault(scene, {})[setting] = means
    write_json(out, table)
