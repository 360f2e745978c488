"""Every path pattern once.  Rules spell the same patterns with Snakemake's wildcards."""

from __future__ import annotations

import os
from pathlib import Path

GEOMETRY = "geometry"
"""The setting name under which the RGB-only geometry itself is evaluated."""

FIELD_FILE = "semantics.safetensors"
"""What a training attached to its Gaussians, and its decoder."""
RECORD_FILE = "record.json"
"""What tells that the record of a geometry run's steps is whole."""
CLASSES = "classes"
"""The folder of class maps among the predictions."""

RELEVANCY = "relevancy"
"""The folder of relevancy maps among the predictions."""

SELECTIONS = "selections"
"""The folder of what prompts select among the predictions."""

EXTRACTED = "extracted"
"""The folder of what prompts cut out of the scene among the predictions."""

CLUSTERS = "clusters"
"""The folder of cluster maps, beside coloured and single splats, of a setting's evaluation."""

FEATURES = "features"
"""The folder of blended features as colours among the predictions."""

GROUNDING = "grounding.json"
"""The file among the predictions that tells where each prompt was asked."""


def put_checkout_first() -> None:
    """Let all jobs run this checkout's code, whatever is installed or on the user's path."""
    others = [os.environ["PYTHONPATH"]] if os.environ.get("PYTHONPATH") else []
    os.environ["PYTHONPATH"] = os.pathsep.join(["src", *others])


def scene_dir(dataset: str, scene: str) -> Path:
    """Return the folder of a canonical scene."""
    return Path("data", dataset, scene)


def geometry_dir(dataset: str, scene: str, seed: int) -> Path:
    """Return the folder of a geometry run: point_cloud.ply, metrics.jsonl, run.json."""
    return Path("results/geometry", dataset, scene, str(seed))


def records_dir(dataset: str, scene: str, seed: int) -> Path:
    """Return the folder of records of geometry runs, see `semsplat.geometry.record`."""
    return Path("scratch/records", dataset, scene, str(seed))


def train_dir(dataset: str, scene: str, setting: str, seed: int) -> Path:
    """Return the folder of a training: point_cloud.ply, semantics.safetensors, curves, run.json."""
    return Path("results/train", dataset, scene, setting, str(seed))


def evaluate_dir(dataset: str, scene: str, setting: str, seed: int) -> Path:
    """Return the folder of an evaluation: predictions, scores.json, run.json."""
    return Path("results/evaluate", dataset, scene, setting, str(seed))


def features_dir(dataset: str, scene: str, recipe: str, seed: str) -> Path:
    """Return the folder of a scene's features, as `features.store` describes.

    The seed is that of the geometry that prompts follow, ``all`` where they follow none.
    """
    return Path("results/features", dataset, scene, recipe, seed)


def lessons_dir(dataset: str, scene: str, teacher: str, seed: int) -> Path:
    """Return the folder of what a teacher says of a scene, as `features.lessons` describes."""
    return Path("results/lessons", dataset, scene, teacher, str(seed))


def feature_scores_dir(dataset: str, scene: str, recipe: str, seed: str) -> Path:
    """Return the folder of the scores of 2-D features: scores.json, inconsistency.npz."""
    return Path("results/evaluate", dataset, scene, "features", recipe, seed)


def hub_dir() -> Path:
    """Return the folder of torch hub, by the rule of ``torch.hub.get_dir``."""
    cache = os.environ.get("XDG_CACHE_HOME", "~/.cache")
    return Path(os.environ.get("TORCH_HOME", f"{cache}/torch")).expanduser() / "hub"
