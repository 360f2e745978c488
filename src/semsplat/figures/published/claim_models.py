"""What a claim, and the rules of verdicts, may say."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import accumulate
from math import inf
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, model_validator

from semsplat.figures.published.measure_models import Measure
from semsplat.params.base import Count, Fraction, OpenFraction, Strict

ABOVE = {"better", "source"}
AGAIN = {
    "held_out": ("train_", "", " in frames that were not trained on."),
    "click": ("clip_regions_", "points_", " of objects that were clicked."),
}
"""What stands before a measure, what instead where its claim is asked again, and in which words."""


Version = Literal[1, 2]
"""Of the rules."""


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
    within: tuple[float, float] | None = None
    """the effects that the claim allows, in the place of ``at_least``: where the paper says that
    two are alike, or that one is better by little"""
    needs: dict[str, str] = Field(default={})
    """precondition: the row of the table on whose trainings it is measured; scenes where one does
    not hold say nothing of the claim"""
    any_scene: str | None = None
    """in the place of ``needs``: why every scene can say something of it"""
    ladder: str | None = None
    """the table that shows what its effect depends on"""
    printed: tuple[float, float] | None = None
    """better and worse as printed in the text, where no table has them"""
    columns: list[str] | None = None
    """the printed columns that it is about, where it is about single scenes: others stand in for
    them nowhere"""

    @model_validator(mode="after")
    def _needs_one_thing(self) -> Claim:
        if bool(self.needs) == bool(self.any_scene):
            raise ValueError("a claim says what it needs of a scene, or why any scene will do")
        if self.within and "at_least" in self.model_fields_set:
            raise ValueError("a claim has at_least or within")
        if self.within and self.within[0] >= self.within[1]:
            raise ValueError("within: write the lower bound first")
        if self.scale == "ratio" and self.region[0] <= 0:
            raise ValueError("a ratio is above 0, so are its bounds")
        return self

    @property
    def region(self) -> tuple[float, float]:
        """The effects that the claim allows; one that is only better has no upper end."""
        return self.within or (self.at_least, inf)


class FirstRules(Strict):
    """``rules@1``: a bootstrap over pooled pairs; kept so that ledgers can be compared."""

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


class SecondRules(Strict):
    """``rules@2``: Student's t over scenes, Holm's correction, sizes, power, preconditions."""

    alpha: OpenFraction
    """chance of an error: per paper of a wrong word, per claim of an interval that misses"""
    power: OpenFraction
    """chance with which the smallest effect that can be shown would be shown"""
    min_scenes: int = Field(ge=2)
    """with fewer, inconclusive; one has no spread"""
    min_turns: Count
    """of times: rounds in which all trainings were measured one after the other"""
    max_busy: Fraction
    """of times: share of the device that others used meanwhile"""


class Rules(Strict):
    """How a verdict is reached; every version was fixed before the results that it judged."""

    first: FirstRules = Field(alias="rules@1")
    """the former"""
    second: SecondRules = Field(alias="rules@2")
    """the present"""


class Comparison(Strict):
    """Two rows of a table, and the claims about them."""

    better: str
    """the row that the paper prefers"""
    worse: str
    """the row that it is compared with"""
    source: str
    """where the paper says so"""
    needs: dict[str, str] = Field(default={})
    """preconditions of every claim that names none itself"""
    any_scene: str | None = None
    """in the place of ``needs``"""
    ladder: str | None = None
    """what shows what the effects of all depend on"""
    again: Literal["held_out", "click"] | None = None
    """of what each claim is made once more: held-out frames, or clicks instead of text"""
    claims: dict[str, dict[str, Any]]
    """by name: the rest of a claim, or what it says otherwise"""

    def whole(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """Yield each claim with what all say, then all of them again."""
        names = ("better", "worse", "source", "ladder")
        shared = {name: getattr(self, name) for name in names}
        asked = {"needs": self.needs, "any_scene": self.any_scene}
        for name, claim in self.claims.items():
            yield name, shared | ({} if asked.keys() & claim.keys() else asked) | claim
        if self.again:
            before, instead, words = AGAIN[self.again]
            for name, claim in self.claims.items():
                measure = instead + str(claim.get("measure")).removeprefix(before)
                statement = str(claim.get("statement")).removesuffix(".") + words
                own = {"statement": statement, "measure": measure}
                yield f"{name}_{self.again}", shared | asked | own


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


class LadderOf(Strict):
    """One effect of a ladder by one measure."""

    table: str
    """the ladder"""
    effect: str
    """one of its effects"""
    measure: str
    """one of its measures"""


class Finding(Strict):
    """What a reader wants to know of a paper, and what answers it."""

    asks: str
    """the question"""
    claim: str | None = None
    """the claim whose verdict answers it; null where the paper makes none"""
    ladder: LadderOf
    """what the answer depends on"""
    mind: str
    """what would change it"""


class Findings(Strict):
    """The whole file."""

    papers: dict[str, Annotated[list[Finding], Field(min_length=3, max_length=6)]]
    """by paper"""


class Examination(Strict):
    """What was looked at where claims came out contradicted."""

    claims: Annotated[list[str], Field(min_length=1)]
    """by name; those that one cause explains stand together"""
    seen: str
    """what was looked at, and what it says"""
    mind: str
    """what would change our mind"""


class Examinations(Strict):
    """The whole file."""

    examinations: list[Examination]
    """each claim in one of them at most"""
