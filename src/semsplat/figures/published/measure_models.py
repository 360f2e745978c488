"""What a definition of a measure may say."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field, ValidationInfo, field_validator, model_validator

from semsplat.errors import did_you_mean
from semsplat.params.base import Strict


class Measure(Strict):
    """One number of a training, and how it is printed."""

    title: str
    """head of its columns"""
    source: Literal["scores", "classes", "speed", "card", "costs"] = "scores"
    """where it stands: scores.json, or what that says of single classes; results/speed.json;
    run.json, or the cards of all it was made from"""
    name: str
    """its key in that file; where an entry has none, the entry's own name"""
    on_real: str | None = None
    """its key on the papers' own scenes, where networks can ask as the paper does"""
    protocol: str | None = None
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
        if (self.source in ("scores", "classes")) != (self.protocol is not None):
            raise ValueError("scores name their protocol, other numbers have none")
        return self

    @property
    def is_time(self) -> bool:
        """Whether it depends on how busy a device was: names end in their units."""
        return self.name == "fps" or self.name.endswith(("_ms", "_s"))

    def before(self, prefix: str) -> Measure:
        """Return the measure whose key has something before it."""
        return self.model_copy(update={"name": f"{prefix}{self.name}"})


class Measures(Strict):
    """The whole file of measures."""

    measures: dict[str, Measure]
    """by name"""

    @field_validator("measures", mode="before")
    @classmethod
    def _are_called_by_their_names(cls, groups: Any) -> Any:
        """Return the entries of all groups, each with its name and what its group says of all."""
        try:
            entries = {
                name: group.get("all", {}) | entry
                for group in groups
                for name, entry in group.items()
                if name != "all"
            }
        except (AttributeError, TypeError):
            raise ValueError("write a list of groups of entries") from None
        return with_key(entries, "name")


def known_measure(name: Any, info: ValidationInfo) -> Measure:
    """Return the measure of a name; raise where there is none."""
    assert info.context
    known: dict[str, Measure] = info.context["measures"]
    if name not in known:
        raise ValueError(f"no measure '{name}'{did_you_mean(str(name), list(known))}")
    return known[name]


def with_key(entries: Any, field: str) -> Any:
    """Return entries that say in a field what they are called; their key where they do not."""
    if not isinstance(entries, dict):
        return entries
    return {k: {field: str(k)} | v if isinstance(v, dict) else v for k, v in entries.items()}
