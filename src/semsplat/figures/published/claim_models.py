"""What a claim, and the rules of verdicts, may say."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import accumulate
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from semsplat.figures.published.models import Measure
from semsplat.params.base import Count, Strict

ABOVE = {"better", "source"}
AGAIN = {
    "held_out": ("train_", "", " in frames that were not trained on."),
    "click": ("clip_regions_", "points_", " of objects that were clicked."),
}
"""What stands before a measure, what instead where its claim is asked again, and in which words."""


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
    """how: better minus worse, or better over worse; where lower is better, the other way round; in
    the file that of its measure, where a claim says none: of scores a difference, else a ratio"""
    at_least: float = Field(default_factory=lambda said: float(said.get("scale") == "ratio"))
    """the effect that the claim needs: of itself that of a direction, 0 or for a ratio 1; less
    where nothing may be lost"""
    printed: tuple[float, float] | None = None
    """better and worse as printed in the text, where no table has them"""
    columns: list[str] | None = None
    """the printed columns that it is about, where not all of the measure; the file names them where
    they are not the means over scenes"""


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
    again: Literal["held_out", "click"] | None = None
    """of what each claim is made once more: held-out frames, or clicks instead of text"""
    claims: dict[str, dict[str, Any]]
    """by name: the rest of a claim, or what it says otherwise"""

    def whole(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """Yield each claim with what all say, then all of them again."""
        shared = {"better": self.better, "worse": self.worse, "source": self.source}
        for name, claim in self.claims.items():
            yield name, shared | claim
        if self.again:
            before, instead, words = AGAIN[self.again]
            for name, claim in self.claims.items():
                measure = instead + str(claim.get("measure")).removeprefix(before)
                statement = str(claim.get("statement")).removesuffix(".") + words
                own = {"statement": statement, "measure": measure}
                yield f"{name}_{self.again}", shared | own


def _as_above(comparisons: Any) -> Any:
    """Give a comparison without a preferred row, or without a source, those of the one above."""
    if not isinstance(comparisons, list) or not all(isinstance(c, dict) for c in comparisons):
        return comparisons  # the model says what is wrong
    return list(
        accumulate(
            comparisons, lambda above, own: {k: above[k] for k in ABOVE & above.keys()} | own
        )
    )


class Written(Strict):
    """The whole file, as it is written."""

    rules: Rules
    """for every claim"""
    claims: dict[str, Annotated[list[Comparison], BeforeValidator(_as_above)]]
    """by table; the preferred row and the source are those above, where a comparison names none"""

    def flat(self, measures: Mapping[str, Measure]) -> list[tuple[str, dict[str, Any]]]:
        """Return every claim's name and what it says, in the order of the file."""
        ratios = {name for name, measure in measures.items() if measure.protocol is None}

        def scale(claim: dict[str, Any]) -> dict[str, Any]:
            return {"scale": "ratio"} if str(claim.get("measure")) in ratios else {}

        return [
            (name, {"table": table, **scale(claim), **claim})
            for table, comparisons in self.claims.items()
            for comparison in comparisons
            for name, claim in comparison.whole()
        ]


class Claims(Strict):
    """All claims, each complete."""

    rules: Rules
    """for every claim"""
    claims: dict[str, Claim]
    """by name"""
