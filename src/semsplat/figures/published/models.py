"""What a definition of a table may say."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

from pydantic import Field, ValidationInfo, field_validator, model_validator

from semsplat.figures.published.measure_models import Measure, known_measure, with_key
from semsplat.params.base import Count, Strict

PROCEDURAL, REAL = "procedural", "real data"
"""Levels of evidence, which no number mixes."""


class Row(Strict):
    """One row."""

    label: str
    """what it is called; where an entry has none, its own name"""
    setting: str
    """the setting that computes it"""
    printed: bool = True
    """whether it stands in the paper; a row of ours alone has nothing beside it"""
    prefix: str = ""
    """before the keys of its numbers: those of what its setting was taught have one"""
    instead: dict[str, Measure] = Field(default={})
    """measure: the one that stands in its place in this row, of a method that answers otherwise;
    the file names both"""

    @field_validator("instead", mode="before")
    @classmethod
    def _are_known(cls, names: Any, info: ValidationInfo) -> Any:
        """Return the measures of these names."""
        if not isinstance(names, dict):
            raise ValueError("write a measure and what stands in its place")
        for key in names:
            known_measure(key, info)
        return {key: known_measure(name, info) for key, name in names.items()}


class Column(Strict):
    """One printed column."""

    measure: str
    """what it shows"""
    scenes: list[str] = Field(min_length=1)
    """dataset/scene; the mean over them"""
    rows: dict[str, str] | None = None
    """printed row: its column in the file, where the file has rows and columns the other way"""


class Ladder(Strict):
    """An effect against what it may depend on, rung by rung."""

    axis: str
    """what differs from rung to rung"""
    effects: dict[str, dict[str, tuple[str, str]]] = Field(min_length=1)
    """of each effect every rung: the row that should be better, and the row that it is compared
    with"""
    on: dict[str, str] = Field(default={})
    """rung: the procedural data set whose scenes it is about, where rungs differ in their scenes"""
    suite: str = "ladders"
    """in whose folder it is drawn"""


class Table(Strict):
    """One table: a paper's, or one of ours that stands beside nothing printed.

    Validated with a context: ``measures``, all there are by name, and ``rows``, which returns the
    rows of another table.
    """

    paper: Literal["CLIP-GS", "GAGS", "CGC"] | None
    """which one; null for a table of ours"""
    number: Count | None = None
    """its number there"""
    title: str
    """what it shows"""
    key: str | None = None
    """the column of the CSV that names its rows"""
    stand_in: str | None = None
    """the procedural data set on which suites without real data fill it"""
    datasets: list[str] = Field(default=[])
    """data sets of real scenes, for a table of ours: whatever the suite has of them"""
    rows_of: list[str] = Field(default=[])
    """tables whose settings are rows here as well, each once, under the same labels"""
    rows: dict[str, Row] = Field(default={}, validate_default=True, min_length=1)
    """in the order of the paper, by what the CSV calls them; those of other tables come first, by
    their settings"""
    ladder: Ladder | None = None
    """what compares the rows of a ladder"""
    lessons: bool = False
    """whether what the trainings were taught has rows above theirs"""
    digits: int | None = Field(default=None, ge=0)
    """decimals of scores, where not those of each measure"""
    notes: dict[str, str | None] = Field(default={})
    """measure: what a reader must know of it here, in the place of what it says of itself"""
    measures: dict[str, Measure] = Field(min_length=1)
    """names; the first are printed, others are ours alone: twins and costs"""
    columns: dict[str, Column] = Field(default={})
    """of the CSV"""
    footnotes: list[str]
    """the paper's own inconsistencies, and what we read otherwise; what our table needs besides"""

    @field_validator("rows", mode="before")
    @classmethod
    def _have_labels(cls, own: Any, info: ValidationInfo) -> Any:
        """Add the rows of other tables, and the labels of those that are called by their names."""
        assert info.context
        rows: dict[str, Any] = {}
        for name in info.data.get("rows_of", ()):
            for row in with_key(info.context["rows"](name), "label").values():
                if row.get("setting"):
                    kept = {k: row[k] for k in ("label", "setting", "instead") if k in row}
                    rows.setdefault(row["setting"], kept)
        own = with_key(own, "label")
        return rows | own if isinstance(own, dict) else own

    @field_validator("measures", mode="before")
    @classmethod
    def _are_known(cls, names: Any, info: ValidationInfo) -> Any:
        """Return the measures of these names, as this table shows them."""
        if not isinstance(names, list):
            raise ValueError("write a list of names")
        for name in info.data.get("notes", ()):
            known_measure(name, info)
        notes, digits = info.data.get("notes", {}), info.data.get("digits")
        return {
            name: measure.model_copy(
                update={"note": notes.get(name, measure.note)}
                | ({"digits": digits} if digits is not None and measure.protocol else {})
            )
            for name, measure in ((name, known_measure(name, info)) for name in names)
        }

    @model_validator(mode="after")
    def _is_whole(self) -> Table:
        printed = [self.number, self.key, self.stand_in]
        if self.paper and None in printed:
            raise ValueError("a paper's table has a number, a key and a stand_in")
        if not self.paper and (self.number or self.key or self.columns):
            raise ValueError("a table of ours has no number, key or columns of a CSV")
        if not (self.stand_in or self.datasets):
            raise ValueError("a table of ours names a stand_in or datasets")
        for rungs in self.ladder.effects.values() if self.ladder else ():
            if unknown := {row for pair in rungs.values() for row in pair} - self.rows.keys():
                raise ValueError(f"ladder: no row '{min(unknown)}'")
        for name, column in self.columns.items():
            if column.measure not in self.measures:
                raise ValueError(f"column {name}: no measure '{column.measure}'")
        return self

    @property
    def settings(self) -> list[str]:
        """The settings of all rows, each once."""
        return list(dict.fromkeys(row.setting for row in self.rows.values()))

    @property
    def evidence(self) -> dict[str, str]:
        """The data sets whose scenes it shows whole, and what their numbers are evidence of."""
        of_rungs = self.ladder.on.values() if self.ladder else ()
        procedural = [*([self.stand_in] if self.stand_in else []), *of_rungs]
        return dict.fromkeys(procedural, PROCEDURAL) | dict.fromkeys(self.datasets, REAL)

    def shows(self, dataset: str, scene: str) -> bool:
        """Tell whether it shows a scene."""
        return dataset in self.evidence or f"{dataset}/{scene}" in self.scenes

    def measure_on(self, name: str, scenes: Sequence[str], row: Row) -> Measure:
        """Return a row's measure as it stands in the files of scenes of a kind, ``dataset/scene``.

        Whatever stands in its place has its title.
        """
        title = self.measures[name].title
        measure = row.instead.get(name, self.measures[name]).model_copy(update={"title": title})
        stand_in = all(scene.split("/")[0] == self.stand_in for scene in scenes)
        if stand_in or measure.on_real is None:
            return measure
        return measure.model_copy(update={"name": measure.on_real})

    def means(self, measure: str) -> list[str]:
        """Return a measure's printed columns that are means over scenes, where others are not."""
        sizes = {n: len(c.scenes) for n, c in self.columns.items() if c.measure == measure}
        means = [name for name, size in sizes.items() if size > 1]
        return means if len(means) < len(sizes) else []

    @property
    def scenes(self) -> list[str]:
        """The papers' own scenes of all columns, each once."""
        return list(dict.fromkeys(s for c in self.columns.values() for s in c.scenes))
