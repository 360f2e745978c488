"""The two commands about quality: measure, print a table, write a card."""

from __future__ import annotations

from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch

from semsplat.features.embedded.sam import load_sam
from semsplat.log import progress
from semsplat.networks.pictures import PictureSet, draw_pictures
from semsplat.networks.quality.automatic import automatic_quality, tuned
from semsplat.networks.quality.clip import clip_quality
from semsplat.networks.quality.prompts import prompt_quality
from semsplat.networks.quality.votes import recipe_votes
from semsplat.params.networks import Pictures, SeedRange
from semsplat.params.quality import QualityJob, TuningJob
from semsplat.provenance import Card

MODULE = "semsplat.networks.quality.report"
LIBRARIES = ("open-clip-torch", "segment-anything", "opencv-python-headless", "torchvision")
DIGITS = 4
ON_A_LINE = 3  # numbers


def measure(clip: Path, sam: Path, run: QualityJob, out: Path) -> None:
    """Judge both weight files on the run's worlds; print the results and write them to ``out``."""
    network, pictures = load_sam(sam), drawn(run.seeds, run.shape)
    card = Card("networks", MODULE, run.model_dump(), {"clip": clip, "sam": sam})
    results = {
        "clip": clip_quality(clip, pictures),
        "sam": {
            "automatic": automatic_quality(network, pictures, run.automatic),
            "prompts": prompt_quality(network, pictures),
            "best_votes": {
                name: recipe_votes(network, pictures, recipe)
                for name, recipe in run.recipes.items()
            },
            "file_mb": sam.stat().st_size / 1e6,
        },
    }
    _publish(card, out, results)


def choose_thresholds(sam: Path, run: TuningJob, out: Path) -> None:
    """Try the run's grid of thresholds; print the best setting and write all to ``out``."""
    network, pictures = load_sam(sam), drawn(run.seeds, run.shape)
    card = Card("networks", MODULE, run.model_dump(), {"sam": sam})
    _publish(card, out, tuned(network, pictures, run))


def drawn(seeds: SeedRange, shape: Pictures) -> PictureSet:
    """Return one picture of each world."""
    worlds = progress(range(seeds.first, seeds.first + seeds.count), "draw")
    return draw_pictures(worlds, shape.model_copy(update={"views_per_world": 1}))


def _publish(card: Card, out: Path, results: dict[str, Any]) -> None:
    """Print all single numbers, and write everything with the libraries and threads behind it."""
    results = rounded(results)
    print(table(results))
    facts = {"libraries": {name: version(name) for name in LIBRARIES}}
    card.write(out, [], **results, **facts, torch_threads=torch.get_num_threads())
    print(f"written to {out}")


def rounded(value: Any) -> Any:
    """Return nested results with numbers of `DIGITS` decimals."""
    if isinstance(value, dict):
        return {key: rounded(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [rounded(inner) for inner in value]
    return round(value, DIGITS) if isinstance(value, float) else value


def table(results: dict[str, Any]) -> str:
    """Return the single numbers under headings; small groups take a line, lists are left out."""
    lines = []
    for key, value in results.items():
        name = key.replace("_", " ")
        if not isinstance(value, dict):
            lines += [] if isinstance(value, list) else [f"{name:<32}{value}"]
        elif len(value) <= ON_A_LINE and not any(isinstance(v, dict) for v in value.values()):
            numbers = ", ".join(f"{k.replace('_', ' ')} {v}" for k, v in value.items())
            lines.append(f"{name:<32}{numbers}")
        else:
            lines += [name, *("  " + line for line in table(value).splitlines())]
    return "\n".join(lines)
