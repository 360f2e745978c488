"""What the page begins with: what was done, in a sentence, and three of the suite's pictures."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from semsplat.figures.referee.declared import device_of
from semsplat.figures.referee.trainings import Results
from semsplat.figures.referee.words import CONTRADICTED, REPRODUCED

FIRST = ("_maps", "_relevancy", "_clicks")
"""How the figures end whose names say that they show a paper's answers."""
N_NAMED = 3
"""scenes that are named; of more, how many there are"""


def grouped(names: Iterable[Path], about: Mapping[str, str]) -> dict[str, list[dict[str, Any]]]:
    """Return the pictures of every figure: their file, caption and alternative text."""
    groups: dict[str, list[dict[str, Any]]] = {}
    for name in names:
        figure = name.parts[0].removesuffix(name.suffix)
        place = "/".join(name.with_suffix("").parts[1:])
        said = about.get(figure, figure).rstrip(".")
        caption = f"{said} ({place})" if place else said
        groups.setdefault(figure, []).append({"file": name, "caption": caption, "alt": caption})
    return groups


def opening(
    results: Results, ledger: Sequence[dict[str, Any]], pictures: Mapping[str, list[dict[str, Any]]]
) -> dict[str, Any]:
    """Return the first sentence and up to three pictures, one of each figure."""
    chosen = [name for end in FIRST for name in pictures if name.endswith(end)][: len(FIRST)]
    rest = [name for name in pictures if name not in chosen]
    shown = [*chosen, *rest][: len(FIRST)]
    return {
        "sentence": _sentence(results, ledger),
        "pictures": [pictures[name][0] for name in shown],
    }


def _sentence(results: Results, ledger: Sequence[dict[str, Any]]) -> str:
    """Return what was trained, on what, and how many claims that decides, if any."""
    trainings = results.trainings
    if not trainings:
        return "No method was trained in this suite."
    scenes, seeds = sorted({t.place for t in trainings}), {t.seed for t in trainings}
    devices = sorted({device_of(results.card(training)) for training in trainings})
    named = f" ({', '.join(scenes)})" if len(scenes) <= N_NAMED else ""
    papers = list(dict.fromkeys(line["paper"] for line in ledger))
    listed = " and ".join(filter(None, [", ".join(papers[:-1]), *papers[-1:]])) or "These methods"
    done = (
        f"{listed} teach the Gaussians of a 3-D scene what they show:"
        f" {_many(len({t.setting for t in trainings}), 'variant')} of them and of what they are"
        f" compared with, trained on {_many(len(scenes), 'scene')}{named} with"
        f" {_many(len(seeds), 'seed')} on {', '.join(devices)}"
    )
    words = [line["verdict"] for line in ledger]
    decided = words.count(REPRODUCED), words.count(CONTRADICTED)
    if not any(decided):
        return f"{done}."
    return (
        f"{done}; of the papers' {_many(len(words), 'claim')} {decided[0]} reproduced and"
        f" {decided[1]} contradicted."
    )


def _many(count: int, what: str) -> str:
    return f"{count:,} {what}{'s' * (count != 1)}"
