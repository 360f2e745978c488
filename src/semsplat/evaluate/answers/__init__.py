"""What a training can be asked for, one answer per file: file name = its name in `ANSWERS`.

A method lists its answers; the geometry itself answers `COLOURS`.  Each file has

- ``PREDICTS_FROM`` and ``SCORES_WITH``: what its two jobs read besides scene, model and
  predictions: "features" or "lessons";
- ``CASES``: the kinds of cases that it makes, by which `protocols_of` finds its protocols;
- ``predict(asked, folder)``: writes predictions into a folder and returns what the folder's
  manifest says of them;
- ``score(judged)``: what ``scores.json`` says of them, without what holds for all answers;

and where it needs them

- ``FOLLOWS``: answers of which each makes a method answer this as well, without naming it, and
  ``UNLESS``: those with which it does not;
- ``time(field, frames)``: how fast it answers;
- ``predict_options(evaluate, place, sam_models)``, ``score_options(evaluate)``: what it is told of
  the section *evaluate* of ``params.yaml``;
- ``models(options)``: whose weights it reads, and ``modules(options)``: code that it imports by
  name.

The workflow imports these files to plan: what takes seconds is imported where it is used.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from semsplat.discovery import kinds_of

if TYPE_CHECKING:
    from types import ModuleType

    from semsplat.data.scene import Scene

COLOURS = "colours"
"""What the geometry answers, as do methods that fit it."""
Scores = dict[str, Any]


class Asked(NamedTuple):
    """What predictions are made from."""

    scene: Scene
    model_dir: Path
    features_dir: Path | None
    cache: Path  # of vectors of prompts
    options: dict[str, Any]
    device: str


class Judged(NamedTuple):
    """What scores are made from; further files go beside ``out``, the ``scores.json``."""

    scene: Scene
    predictions_dir: Path
    lessons_dir: Path | None
    options: dict[str, Any]
    out: Path


answer_names, answer = kinds_of(
    __name__, "answer", ("PREDICTS_FROM", "SCORES_WITH", "CASES", "predict", "score")
)


def followed(names: tuple[str, ...]) -> tuple[str, ...]:
    """Return the answers that a method names, and those that follow from them."""
    further = [name for name in answer_names() if name not in names]
    return (*names, *(name for name in further if _follows(answer(name), set(names))))


def _follows(kind: ModuleType, names: set[str]) -> bool:
    """Tell whether an answer follows from the named ones, and from none that it is at odds with."""
    from_them, at_odds = (set(getattr(kind, what, ())) for what in ("FOLLOWS", "UNLESS"))
    return bool(from_them & names) and not at_odds & names
