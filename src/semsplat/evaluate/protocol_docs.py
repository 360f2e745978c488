"""Documentation of the protocols, generated from their docstrings."""

from __future__ import annotations

import re
from types import ModuleType

from semsplat.evaluate.protocols import protocols

HEAD = """# Protocols

Generated from the docstrings in `src/semsplat/evaluate/protocols/` by `make docs`; do not edit.

A score means something only together with its protocol: who averages over what, what is smoothed,
what a missing prediction costs. The number behind `@` is the version; a changed definition gets a
new one. `scores.json` names the protocol of every metric, and under `counts` of how many pairs,
images or neighbours each is a score, and how many of these have no prediction.

| prefix of a metric | what it is about |
|---|---|
| none | held-out views |
| `train_` | training views; as published where a paper trains on the views it scores |
| `object_`, `part_` | prompts of one granularity |
| `teacher_`, `best_vote_` | the labels that were taught, the best that any vote could say |
| `own_vote_train_` | training views: what 3DCS would teach by the predicted maps |
| `points_`, `clip_regions_`, `grounding_dino_` | how prompts become clicks or masks |
| `nyu19_`, `nyu15_`, `nyu10_` | by another list of classes than the scene's own |
| `gaussians_`, `beyond_` | selected Gaussians instead of pixels; views without the click |
"""
PARTS = ("Definition", "Source", "Disputes")


def markdown() -> str:
    """Return a table of all protocols and one section for each."""
    modules = sorted(protocols().items())
    rows = [f"| [{name}](#{_anchor(name)}) | {_title(module)} |" for name, module in modules]
    table = "\n".join(["| protocol | what it judges |", "|---|---|", *rows, ""])
    return "\n".join([HEAD, table, *(_section(name, module) for name, module in modules)])


def parts(module: ModuleType) -> dict[str, str]:
    """Return the paragraphs of a protocol's docstring by `PARTS`, in one line each.

    Raises a `ValueError` unless it has all of them, in this order, after its first line.
    """
    split = re.split(rf"^({'|'.join(PARTS)}):", module.__doc__ or "", flags=re.MULTILINE)
    if tuple(split[1::2]) != PARTS:
        raise ValueError(f"{module.__name__}: the docstring needs {', '.join(PARTS)}")
    texts = (" ".join(text.split()).replace("``", "`") for text in split[2::2])
    return {part: _capital(text) for part, text in zip(PARTS, texts, strict=True)}


def _section(name: str, module: ModuleType) -> str:
    metrics = ", ".join(f"`{metric}`" for metric in module.METRICS)
    paragraphs = (f"**{part}.** {text}\n" for part, text in parts(module).items())
    return "\n".join([f"## {name}", "", f"{_title(module)} Metrics: {metrics}.", "", *paragraphs])


def _title(module: ModuleType) -> str:
    """Return what stands behind the name in the docstring's first line."""
    return _capital((module.__doc__ or "").splitlines()[0].partition("``: ")[2])


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _anchor(name: str) -> str:
    """Return what GitHub makes of a heading: its letters, digits, underscores and hyphens."""
    return re.sub(r"[^\w-]", "", name.lower())
