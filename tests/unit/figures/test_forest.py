"""Forest plots: where the marks of a judged claim stand."""

from __future__ import annotations

import math
from typing import Any

import pytest

from semsplat.figures.page.forest import MARGIN, WIDTH, Axis, forest


def line(effect: float | None, **changes: Any) -> dict[str, Any]:
    """A line of the ledger."""
    values: dict[str, Any] = {"effect": effect, "printed": 10.0, "low": None, "high": None}
    values |= {"at_least": 0.0, "at_most": None}
    values |= {key: changes.pop(key) for key in list(changes) if key in values}
    words = {"paper": "CGC", "measure": "mIoU", "verdict": "reproduced", "ratio": False}
    texts = {"effect": f"{effect}", "printed": "+10", "low": "", "high": ""}
    return {**words, **texts, **changes, "values": values}


def rows(*lines: dict[str, Any]) -> list[dict[str, Any]]:
    ((paper,),) = (forest(lines),)
    (axis,) = paper["axes"]
    found: list[dict[str, Any]] = axis["rows"]
    return found


def test_an_axis_has_its_ends_at_the_margins() -> None:
    axis = Axis(-10.0, 30.0, ratio=False)
    assert (axis.place(-10), axis.place(10), axis.place(30)) == (MARGIN, WIDTH / 2, WIDTH - MARGIN)
    assert axis.place(99) == WIDTH - MARGIN and axis.holds(30) and not axis.holds(31)
    ratio = Axis(math.log(0.5), math.log(2), ratio=True)
    assert ratio.place(1.0) == WIDTH / 2 and ratio.place(0.0) == MARGIN and not ratio.holds(0.0)


def test_only_judged_claims_with_an_effect_have_a_row_one_axis_per_measure() -> None:
    lines = [
        line(5.0),
        line(None, verdict="not run"),
        line(3.0, verdict="not testable here"),
        line(4.0, measure="PSNR", verdict="contradicted"),
        line(2.0, measure="PSNR", ratio=True, printed=2.0),
        line(1.0, paper="GAGS", verdict="inconclusive"),
    ]
    found = {p["paper"]: [(a["title"], len(a["rows"])) for a in p["axes"]] for p in forest(lines)}
    assert found == {
        "CGC": [("mIoU, difference", 1), ("PSNR, difference", 1), ("PSNR, times as much", 1)],
        "GAGS": [("mIoU, difference", 1)],
    }


def test_marks_stand_in_the_order_of_their_values() -> None:
    (row,) = rows(line(5.0, low=2.0, high=7.0, printed=10.0, at_least=1.0, at_most=8.0))
    begin, _, end = row["interval"].split("M")[1].partition(f" {12}H")
    claimed = row["claimed"][0], sum(row["claimed"])
    places = [claimed[0], float(begin), row["effect"], float(end), claimed[1], row["printed"]]
    assert places == sorted(places) and len(set(places)) == 6
    assert row["interval"].count("v") == 2  # both ends are caps
    assert row["told"].startswith("reproduced: ours 5.0")


def test_an_interval_that_leaves_the_axis_ends_in_an_arrow() -> None:
    (row,) = rows(line(5.0, low=-500.0, high=7.0))
    assert row["interval"].count("v") == 1 and row["interval"].count("L") == 1


@pytest.mark.parametrize(("ratio", "nothing"), [(False, 0.0), (True, 1.0)])
def test_no_effect_where_none_is_printed_has_an_axis(ratio: bool, nothing: float) -> None:
    (paper,) = forest([line(nothing, printed=None, ratio=ratio)])
    assert paper["axes"][0]["zero"] == WIDTH / 2 == paper["axes"][0]["rows"][0]["effect"]


def test_ticks_are_round_and_include_nothing() -> None:
    (paper,) = forest([line(19.046, printed=-3.2)])
    texts = [tick["text"] for tick in paper["axes"][0]["ticks"]]
    assert "0" in texts and texts == sorted(texts, key=float) and 4 <= len(texts) <= 8
