"""Pairs of an annotated frame and a prompt that it shows, and the means over them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from statistics import fmean
from typing import Any, NamedTuple

from semsplat.data.annotate import part_prompts
from semsplat.data.scene import Frame, Scene, load_semantics
from semsplat.io import sha256_file

KINDS = ("", "object_", "part_")
Numbers = dict[str, float]


class Pair(NamedTuple):
    """One prompt in one frame that shows it."""

    frame: str
    prompt: str
    predicted: bool
    values: Numbers  # {metric: value}, the same metrics in all pairs of a list


def identity(scene: Scene, predictions_dir: Path, out: Path) -> dict[str, Any]:
    """Return what every ``scores.json`` says of the run it judges and of the files it read.

    ``out`` ends in {dataset}/{scene}/{setting}/{seed}/scores.json.
    """
    dataset, name, setting, seed = out.parts[-5:-1]
    return {
        "dataset": dataset,
        "scene": name,
        "setting": setting,
        "seed": int(seed),
        "size_px": [scene.frames[0].width, scene.frames[0].height],
        "predictions_sha256": sha256_file(predictions_dir / "manifest.json"),
        "truth_sha256": sha256_file(scene.scene_dir / "manifest.json"),
    }


def parts_of(scene: Scene) -> set[str]:
    """Return the prompts that ask for parts; none where ``semantics.json`` tells no parts."""
    if not (scene.scene_dir / "semantics.json").is_file():
        return set()
    return set(part_prompts(load_semantics(scene).get("objects", [])))


def of_kind(pairs: Sequence[Pair], kind: str, parts: set[str]) -> list[Pair]:
    """Return the pairs of a granularity: all, or objects or parts where these are told."""
    if not kind:
        return list(pairs)
    return [pair for pair in pairs if parts and (pair.prompt in parts) == (kind == "part_")]


def means(pairs: Sequence[Pair]) -> Numbers:
    """Return the plain mean of every metric over pairs; nothing of none."""
    if not pairs:
        return {}
    return {metric: fmean(pair.values[metric] for pair in pairs) for metric in pairs[0].values}


def grouped(pairs: Sequence[Pair], key: str) -> dict[str, Numbers]:
    """Return the means over the pairs of each ``frame`` or ``prompt``, as ``key`` says."""
    names = dict.fromkeys(getattr(pair, key) for pair in pairs)
    return {name: means([p for p in pairs if getattr(p, key) == name]) for name in names}


def by_frame(pairs: Sequence[Pair]) -> dict[str, dict[str, Numbers]]:
    """Return {frame: {prompt: values of the pair}}."""
    found: dict[str, dict[str, Numbers]] = {}
    for pair in pairs:
        found.setdefault(pair.frame, {})[pair.prompt] = pair.values
    return found


def prefixed(prefix: str, values: Numbers) -> Numbers:
    """Return the values under names that start with a prefix."""
    return {f"{prefix}{name}": value for name, value in values.items()}


def missing(pairs: Sequence[Pair]) -> list[list[str]]:
    """Return [frame, prompt] of every pair without a prediction."""
    return [[pair.frame, pair.prompt] for pair in pairs if not pair.predicted]


def counted(pairs: Sequence[Pair]) -> dict[str, int]:
    """Return how many pairs there are, and how many have no prediction."""
    return {"pairs": len(pairs), "missing": len(missing(pairs))}


def why_absent(frames: Sequence[Frame], split: str, kind: str, parts: set[str]) -> str:
    """Return why there is no mean over the pairs of these frames, if there is none.

    Args:
        frames: of the split.
        split: the word for it: held-out or training.
        kind: of `KINDS`.
        parts: the prompts that ask for parts.
    """
    if not any(frame.annotations_path for frame in frames):
        return f"no {split} view is annotated"
    if kind and not parts:
        return "semantics.json does not tell parts from objects"
    what = {"object_": "an object", "part_": "a part"}.get(kind, "anything")
    return f"no annotated {split} view shows {what}"
