"""What a claim, and the rules of verdicts, may say."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from semsplat.params.base import Count, Strict


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
    at_least: float = Field(default_factory=lambda said: float(said.get("scale") == "ratio"))
    """the effect that the claim needs: of itself that of a direction, 0 or for a ratio 1; less
    where nothing may be lost"""
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


class Comparison(Strict):
    """Two rows of a table, and the claims about them."""

    better: str
    """the row that the paper prefers"""
    worse: str
    """the row that it is compared with"""
    source: str
    """where the paper says so"""
    claims: dict[str, dict[str, Any]]
    """by name: the rest of a claim, or what it says otherwise"""


class Written(Strict):
    """The whole file, as it is written."""

    rules: Rules
    """for every claim"""
    claims: dict[str, list[Comparison]]
    """by table"""

    def flat(self) -> list[tuple[str, dict[str, Any]]]:
        """Return every claim's name and what it says, in the order of the file."""
        return [
            (name, {"table": table, **comparison.model_dump(exclude={"claims"}), **claim})
            for table, comparisons in self.claims.items()
            for comparison in comparisons
            for name, claim in comparison.claims.items()
        ]


class Claims(Strict):
    """All claims, each complete."""

    rules: Rules
    """for every claim"""
    claims: dict[str, Claim]
    """by name"""
