"""Phase *figures*: results in, ``paper_figures/{suite}/`` out; drawing never computes a result.

One kind per file.  A kind has ``Options`` (what ``params.yaml`` may say), ``SCOPE`` ("run": one
file per run; "scene": one per scene; "suite": one for all runs; "trainings", "geometries": a table
of all trainings or geometries, with a .tex and a .csv beside it; "comparison": a plot of all
trainings), ``EXTENSION``, ``NEEDS`` (the
files it reads, per run, scene or training; ``{recipe}`` and ``{setting}`` are each of those in its
options; ``{features}``, of a table, those that a training learned of) and ``draw(shown, options,
out)``; where it imports code by name ``modules()`` lists it.  Equal inputs give equal bytes; every
figure carries the keys of the runs, or the digests of the folders, that it shows.
"""

from __future__ import annotations

from collections.abc import Iterator
from string import Formatter
from typing import Annotated, Any, Literal

from pydantic import Field

from semsplat.discovery import kinds_of
from semsplat.params.base import Strict

NOT_KINDS = ("__main__", "pictures", "style")
TABLES = ("trainings", "geometries")
"""Scopes of tables."""
OF_TRAININGS = (*TABLES, "comparison")
"""Scopes of what shows trainings; what is not asked for by name shows all of the suite."""

CURVE_FILES = (
    "results/geometry/{dataset}/{scene}/{seed}/metrics.jsonl",
    "results/geometry/{dataset}/{scene}/{seed}/run.json",
)
"""What a figure of training curves reads, per run."""

FEATURE_FILES = (
    "data/{dataset}/{scene}/manifest.json",
    "results/features/{dataset}/{scene}/{recipe}/manifest.json",
)
"""What a figure of features reads, per scene."""

TRAINING_FILES = (
    "results/train/{dataset}/{scene}/{setting}/{seed}/run.json",
    "results/evaluate/{dataset}/{scene}/{setting}/{seed}/scores.json",
)
"""What a table of scores reads, per training."""

SETTING_FILES = (*TRAINING_FILES, "results/speed.json")
"""What a table of settings reads, per training."""

THINGS_FILE = "results/evaluate/{dataset}/{scene}/features/{features}/scores.json"
"""What a table of claims reads as well: ``{features}`` are those that a training learned of."""

PREDICTION_FILES = (
    "data/{dataset}/{scene}/manifest.json",
    "results/train/{dataset}/{scene}/{setting}/{seed}/run.json",
    "results/evaluate/{dataset}/{scene}/{setting}/{seed}/predictions/manifest.json",
)
"""What a sheet of settings reads, per run and setting."""


class PictureSheet(Strict):
    """Options that all sheets of pictures share."""

    row_height_in: Annotated[float, Field(gt=0, le=100)]
    """inches per row"""
    dpi: Annotated[int, Field(ge=1, le=2400)]
    """dots per inch"""

    @property
    def row_px(self) -> int:
        """Height of a picture on the page."""
        return round(self.row_height_in * self.dpi)


class FeatureSheet(PictureSheet):
    """Options that all sheets of features share."""

    recipe: str
    """name of the feature recipe"""


class SettingSheet(PictureSheet):
    """Options that sheets of settings share."""

    settings: dict[str, str] = Field(min_length=1)
    """setting: what its row or column is called, in their order"""
    datasets: list[str]
    """of the suite's scenes, those of these data sets; empty for all"""


class ClickSheet(SettingSheet):
    """Options that sheets of what clicks select share."""

    grounder: Literal["clicks", "points", "clip_regions", "grounding_dino"]
    """whose clicks: a person's, the annotated points, or those that follow from texts"""


SCOPES = ("run", "scene", "suite", *OF_TRAININGS)
SUFFIXES = ("md", "png", "svg", "pdf", "json")
"""What `EXTENSION` may be; tables are md, and json is for the page to show."""
MARKS = {"dataset", "scene", "setting", "seed", "recipe", "features"}


def unfit(kind: Any) -> Iterator[str]:
    """Yield what a kind says of itself that no rule could follow."""
    where = f"{kind.__name__.rpartition('.')[2]}.py"
    if kind.SCOPE not in SCOPES:
        yield f"{where}: SCOPE '{kind.SCOPE}' is none of {', '.join(SCOPES)}"
    if kind.EXTENSION not in SUFFIXES or (kind.SCOPE in TABLES) != (kind.EXTENSION == "md"):
        known = "png, svg, pdf, json, or md of a table"
        yield f"{where}: EXTENSION '{kind.EXTENSION}' is none of {known}"
    marks = {mark for need in kind.NEEDS for _, mark, _, _ in Formatter().parse(need) if mark}
    if unknown := sorted(marks - MARKS):
        yield f"{where}: NEEDS names {{{unknown[0]}}}; there are {', '.join(sorted(MARKS))}"


figure_kinds, figure_kind = kinds_of(
    __name__, "figure kind", ("Options", "SCOPE", "EXTENSION", "NEEDS", "draw"), NOT_KINDS
)
