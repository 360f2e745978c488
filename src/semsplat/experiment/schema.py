"""The schema of ``params.yaml``: every key, its type and its meaning.

No value has a default here: the file is complete, so ``dvc params diff`` shows every change.
Iteration counts are those of the papers; a suite's ``steps_scaler`` multiplies all of them.  Each
phase has its models in a module of its own, so that a new key of one phase is no change of code
for the results of another.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field

from semsplat.data.datasets import importer, importer_names
from semsplat.discovery import Module, Names
from semsplat.features.segmenters import segmenter_kind, segmenter_kinds
from semsplat.features.teachers import teacher_kind, teacher_kinds
from semsplat.features.tracks import track_kind, track_kinds
from semsplat.figures import figure_kind, figure_kinds
from semsplat.figures.published import load_table
from semsplat.params.base import Count, Strict
from semsplat.params.evaluate import Evaluate
from semsplat.params.external import External
from semsplat.params.features import Features
from semsplat.params.geometry import Geometry, Training
from semsplat.params.methods import Setting
from semsplat.params.quality import AllNetworks
from semsplat.train.methods import method, method_names

Overridable = Literal["geometry", "training", "features", "methods", "evaluate"]
"""Sections that say how something is computed, not what."""
FAMILIES: dict[str, tuple[Names, Module]] = {
    "importer": (importer_names, importer),
    "segmenter": (segmenter_kinds, segmenter_kind),
    "labels": (teacher_kinds, teacher_kind),
    "tracks": (track_kinds, track_kind),
    "method": (method_names, method),
    "figure": (figure_kinds, figure_kind),
}
"""What lists the kinds of a family, and what returns one by name; each has options of its own."""
RECIPE_OPTIONS = ("recipe", "beside")
"""Options of figures that name a feature recipe."""


class Dataset(Strict):
    """One data set: an importer, options common to its scenes, and the scenes."""

    importer: str
    """a file name in src/semsplat/data/datasets"""
    options: dict[str, Any]
    """the importer's options, common to all scenes"""
    scenes: dict[str, dict[str, Any]]
    """scene name: the options in which it differs"""


class Figure(Strict):
    """One figure or table."""

    kind: str
    """a file name in src/semsplat/figures"""
    options: dict[str, Any]
    """the kind's options"""

    @property
    def settings(self) -> list[str]:
        """The settings that it shows: those that its options name, or the rows of its table."""
        table = self.options.get("table")
        return load_table(table).settings if table else list(self.options.get("settings", ()))

    def shows(self, dataset: str, scene: str) -> bool:
        """Tell whether it shows a scene of the suite.

        A table shows the scenes of its columns and the data sets that it shows whole; other figures
        those that their options name, or those of the data sets that these name, or all.
        """
        if "table" in self.options:
            return load_table(self.options["table"]).shows(dataset, scene)
        datasets, scenes = (self.options.get(name, ()) for name in ("datasets", "scenes"))
        named = not scenes or f"{dataset}/{scene}" in scenes
        return named and (not datasets or dataset in datasets)

    @property
    def recipes(self) -> dict[str, str]:
        """The feature recipes that it shows, by the option that names each."""
        return {key: self.options[key] for key in RECIPE_OPTIONS if key in self.options}


class Suite(Strict):
    """A set of runs and the figures drawn from them."""

    scenes: list[str] = Field(min_length=1)
    """dataset/scene"""
    seeds: list[Annotated[int, Field(ge=0)]] = Field(min_length=1)
    """one run per scene and seed"""
    steps_scaler: Annotated[float, Field(gt=0, le=100)]
    """multiplies every iteration count"""
    rates_scaler: Annotated[float, Field(gt=0, le=10_000)]
    """multiplies the learning rates of semantics and decoders.  Adam moves a weight by about its
    rate in every step, so 1 / steps_scaler leaves them the way that the papers' rates and steps do;
    with less, classes are not learned yet when CLIP-GS's votes begin, and the votes forget them"""
    settings: list[str]
    """what is trained of the settings that its figures name; empty for all of them"""
    without: list[str]
    """settings that are not trained though its figures name them"""
    figures: list[str]
    """names from the figures section"""
    override: dict[Overridable, dict[str, Any]]
    """section: what this suite has otherwise there.  Real models in place of the embedded ones, so
    that one entry of a recipe, a setting or a table serves every suite"""


class Node(Strict):
    """The machine that jobs are sent to; it decides no result.  On a cluster none asks for more."""

    cores: Count
    """that the largest jobs take, where a machine has as many"""
    gpus: int = Field(ge=0, le=1)
    """that a job asks for which can use one; 0 where the cluster has none"""
    mem_mb: Annotated[int, Field(ge=1000)]
    """that a job asks for which trains or computes features"""


class Params(Strict):
    """The whole file."""

    suite: str
    """the suite that commands without --config suite=... run"""
    seed: int = Field(ge=0)
    """master seed; each run derives its own from it"""
    plugins: list[str]
    """folders of a user's own methods and other kinds, with their entries: docs/plugins.md"""
    suites: dict[str, Suite]
    """what to run"""
    datasets: dict[str, Dataset]
    """what to run on"""
    geometry: Geometry
    """RGB-only splatting"""
    training: Training
    """saving and logging"""
    node: Node
    """the machine of a job"""
    features: Features
    """masks and CLIP vectors"""
    networks: AllNetworks
    """the embedded networks"""
    methods: dict[str, dict[str, Any]]
    """parameters of each method, a file in src/semsplat/train/methods"""
    settings: dict[str, Setting]
    """methods with diffs of their parameters, by name"""
    external: dict[str, External]
    """methods whose predictions were made elsewhere; figures name them as they name settings"""
    evaluate: Evaluate
    """scoring"""
    figures: dict[str, Figure]
    """what to draw"""

    @property
    def shown(self) -> list[str]:
        """What figures and tables can name as a setting: those that are trained, then others."""
        return [*self.settings, *self.external]


def options_of(family: str) -> dict[str, type[BaseModel]]:
    """Return the model of the options of every kind of a family, by name."""
    names, module = FAMILIES[family]
    return {name: module(name).Options for name in names()}
