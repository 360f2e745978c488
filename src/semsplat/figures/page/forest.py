"""Forest plots of judged claims: printed effect, ours and its interval, one axis per measure.

Effects of one measure share an axis; those of others have other units.  Ratios stand on a
logarithmic axis.  An interval that leaves the axis ends in an arrow.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

from semsplat.figures.page.ledger import FOLDED

WIDTH, MARGIN = 400, 24
"""of a plot in its own units, and what is kept free at both ends"""
MARK_Y, CAP, ARROW = 12, 4, 6
N_TICKS = 7


class Axis(NamedTuple):
    """A measure's scale: values from ``low`` to ``high``, logarithms of ratios."""

    low: float
    high: float
    ratio: bool

    def place(self, value: float) -> float:
        """Return where a value stands, cut off at the ends."""
        share = (self.number(value) - self.low) / (self.high - self.low)
        return round(MARGIN + (WIDTH - 2 * MARGIN) * min(max(share, 0.0), 1.0), 1)

    def holds(self, value: float) -> bool:
        """Tell whether a value is within the ends."""
        return self.low <= self.number(value) <= self.high

    def number(self, value: float) -> float:
        """Return what is compared with the ends; a ratio of 0 lies below any other."""
        if not self.ratio:
            return value
        return math.log(value) if value > 0 else -math.inf


def forest(lines: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return {paper, axes} of the lines of a ledger that were judged and have an effect."""
    papers: dict[str, dict[tuple[str, bool], list[dict[str, Any]]]] = {}
    for line in lines:
        if line["verdict"] not in FOLDED and line["values"]["effect"] is not None:
            axes = papers.setdefault(line["paper"], {})
            axes.setdefault((line["measure"], line["ratio"]), []).append(line)
    return [
        {"paper": paper, "axes": [_axis(*key, members) for key, members in axes.items()]}
        for paper, axes in papers.items()
    ]


def _axis(measure: str, ratio: bool, lines: list[dict[str, Any]]) -> dict[str, Any]:
    """Return one measure's axis with a row per claim."""
    axis = _scale(lines, ratio)
    return {
        "title": f"{measure}, {'times as much' if ratio else 'difference'}",
        "width": WIDTH,
        "zero": axis.place(1.0 if ratio else 0.0),
        "ticks": [{"x": axis.place(value), "text": text} for value, text in _ticks(axis)],
        "rows": [_row(axis, line) for line in lines],
    }


def _scale(lines: list[dict[str, Any]], ratio: bool) -> Axis:
    """Return an axis that holds all effects and intervals, unless these are much wider."""
    nothing = 1.0 if ratio else 0.0
    named = [line["values"][key] for line in lines for key in ("printed", "effect")]
    bounds = [line["values"][key] for line in lines for key in ("low", "high")]
    numbers, ends = (
        [math.log(v) if ratio else v for v in values if v is not None and (v > 0 or not ratio)]
        for values in ([*named, nothing], bounds)
    )
    low, high = min(numbers), max(numbers)
    room = (high - low) or 1.0
    low, high = max(min([low, *ends]), low - room), min(max([high, *ends]), high + room)
    free = 0.04 * ((high - low) or 1.0)  # no effect at all, and none printed, has an axis as well
    return Axis(low - free, high + free, ratio)


def _ticks(axis: Axis) -> list[tuple[float, str]]:
    """Return round values between the ends, and how they are written."""
    if axis.ratio:
        low, high = math.exp(axis.low), math.exp(axis.high)
        shown = [m * 10.0**e for e in range(-4, 7) for m in (1, 2, 5) if low <= m * 10.0**e <= high]
        return [(value, f"{value:g}") for value in shown[:: max(1, len(shown) // N_TICKS)]]
    rough = (axis.high - axis.low) / N_TICKS
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(m * power for m in (1, 2, 5, 10) if m * power >= rough)
    first, last = math.ceil(axis.low / step), math.floor(axis.high / step)
    return [(i * step, f"{i * step:+g}" if i else "0") for i in range(first, last + 1)]


def _row(axis: Axis, line: dict[str, Any]) -> dict[str, Any]:
    """Return where a claim's marks stand, and what they say in words."""
    value = line["values"]
    least = axis.place(value["at_least"])
    most = WIDTH if value["at_most"] is None else axis.place(value["at_most"])
    said = [f"{line['verdict']}: ours {line['effect']}"]
    said += [f"interval {line['low']} to {line['high']}"] if line["low"] else []
    said += [f"printed {line['printed']}"] if line["printed"] else []
    return {
        "line": line,
        "told": ", ".join(said),
        "claimed": (least, round(most - least, 1)),
        "effect": axis.place(value["effect"]),
        "printed": None if value["printed"] is None else axis.place(value["printed"]),
        "interval": _interval(axis, value["low"], value["high"]),
    }


def _interval(axis: Axis, low: float | None, high: float | None) -> str:
    """Return the path of an interval with caps, or with arrows where it goes on; empty of none."""
    if low is None or high is None:
        return ""
    path = f"M{axis.place(low)} {MARK_Y}H{axis.place(high)}"
    for end, inward in ((low, 1), (high, -1)):
        x = axis.place(end)
        if axis.holds(end):
            path += f"M{x} {MARK_Y - CAP}v{2 * CAP}"
        else:
            path += f"M{x + inward * ARROW} {MARK_Y - CAP}L{x} {MARK_Y}l{inward * ARROW} {CAP}"
    return path
