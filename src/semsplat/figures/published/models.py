"""What a definition of a published table, and a claim, may say."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from pydantic import Field, model_validator

from semsplat.params.base import Count, Strict


class Measure(Strict):
    """One number of a training, and how it is printed."""

    title: str
    """head of its columns"""
    source: Literal["scores", "speed", "card", "costs"]
    """where it stands: scores.json, results/speed.json, run.json, or the cards of all it was made
    from"""
    name: str
    """its key in that file"""
    on_real: str | None = None
    """its key on the papers' own scenes, where networks can ask as the paper does"""
    protocol: str | None
    """the protocol of a score; nothing else has one"""
    better: Literal["higher", "lower"]
    """which way is better"""
    factor: float = 1.0
    """multiplies it: 100 for percent"""
    digits: int = Field(default=2, ge=0)
    """decimals"""
    note: str | None = None
    """what a reader must know before comparing it with the printed number"""

    @model_validator(mode="after")
    def _scores_have_protocols(self) -> Measure:
        if (self.source == "scores") != (self.protocol is not None):
            raise ValueError("scores name their protocol, other numbers have none")
        return self


class Row(Strict):
    """One printed row."""

    label: str
    """what it is called"""
    setting: str | None = None
    """the setting that computes it"""
    absent: str | None = None
    """why none does"""
    printed: bool = True
    """whether it stands in the paper; a row of ours alone has nothing beside it"""

    @model_validator(mode="after")
    def _setting_or_reason(self) -> Row:
        if (self.setting is None) == (self.absent is None):
            raise ValueError("a row has a setting or says why it is absent")
        return self


class Column(Strict):
    """One printed column."""

    measure: str
    """what it shows"""
    scenes: list[str] = Field(min_length=1)
    """dataset/scene; the mean over them"""
    rows: dict[str, str] | None = None
    """printed row: its column in the file, where the file has rows and columns the other way"""


class Table(Strict):
    """One table of a paper."""

    paper: Literal["CLIP-GS", "GAGS", "CGC"]
    """which one"""
    number: Count
    """its number there"""
    title: str
    """what it shows"""
    key: str
    """the column of the CSV that names its rows"""
    stand_in: str
    """the procedural data set on which suites without real data fill it"""
    rows: dict[str, Row] = Field(min_length=1)
    """in the order of the paper, by what the CSV calls them"""
    measures: dict[str, Measure] = Field(min_length=1)
    """by name; the first are printed, others are ours alone: twins and costs"""
    columns: dict[str, Column]
    """of the CSV"""
    footnotes: list[str]
    """the paper's own inconsistencies, and what we read otherwise"""

    @model_validator(mode="after")
    def _measures_exist(self) -> Table:
        for name, column in self.columns.items():
            if column.measure not in self.measures:
                raise ValueError(f"column {name}: no measure '{column.measure}'")
        return self

    @property
    def settings(self) -> list[str]:
        """The settings of all rows, each once."""
        return list(dict.fromkeys(row.setting for row in self.rows.values() if row.setting))

    def measure_on(self, name: str, scenes: Sequence[str]) -> Measure:
        """Return a measure as it stands in the files of scenes of one kind, ``dataset/scene``."""
        measure = self.measures[name]
        stand_in = all(scene.split("/")[0] == self.stand_in for scene in scenes)
        if stand_in or measure.on_real is None:
            return measure
        return measure.model_copy(update={"name": measure.on_real})

    @property
    def scenes(self) -> list[str]:
        """The papers' own scenes of all columns, each once."""
        return list(dict.fromkeys(s for c in self.columns.values() for s in c.scenes))


class Claim(Strict):
    """One comparison that a paper states."""

    table: str
    """the table whose rows and measure it is about"""
    source: str
    """where the paper says so"""
    statement: str
    """what it says, in our words"""
    better: str
    """the row that the paper prefers"""
    worse: str
    """the row that it is compared with"""
    measure: str
    """what is compared"""
    scale: Literal["difference", "ratio"] = "difference"
    """how: better minus worse, or better over worse; where lower is better, the other way round"""
    at_least: float = 0.0
    """the effect that the claim needs: 0 or 1 for a direction, less where nothing may be lost"""
    printed: tuple[float, float] | None = None
    """better and worse as printed in the text, where no table has them"""
    columns: list[str] | None = None
    """the printed columns that it is about, where not all of the measure"""


class Rules(Strict):
    """How a verdict is reached; fixed before results."""

    confidence: float = Field(gt=0.5, lt=1)
    """of the interval"""
    resamples: Count
    """of the bootstrap"""
    seed: int
    """of the bootstrap"""
    min_scenes: Count
    """with fewer, inconclusive"""
    min_pairs: Count
    """pairs of one scene and one seed; with fewer, inconclusive"""


class Claims(Strict):
    """The whole file."""

    rules: Rules
    """for every claim"""
    claims: dict[str, Claim]
    """by name"""
