"""Cases: predictions that protocols score one by one, and put together."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from statistics import fmean
from types import ModuleType
from typing import Any, NamedTuple

Numbers = dict[str, float]


class Case(NamedTuple):
    """One prediction and what protocols say of it."""

    frame: str
    prompt: str  # what was asked for; of neighbours the second frame; else empty
    predicted: bool
    found: dict[str, Any]  # {protocol: what its `score` returned}

    @property
    def values(self) -> Numbers:
        """The metrics that the case has by itself."""
        return {k: v for said in self.found.values() for k, v in said.items()}


def judge(
    protocols: Sequence[ModuleType], frame: str, prompt: str, prediction: Any, truth: Any
) -> Case:
    """Return a case as protocols score it; two that share their ``score`` look at it once."""
    said: dict[Callable[..., Any], Any] = {}
    for protocol in protocols:
        if protocol.score not in said:
            said[protocol.score] = protocol.score(prediction, truth)
    scores = {protocol.NAME: said[protocol.score] for protocol in protocols}
    return Case(frame, prompt, prediction is not None, scores)


def aggregate(protocols: Sequence[ModuleType], cases: Sequence[Case]) -> Numbers:
    """Return the metrics of all protocols over cases."""
    return {k: v for protocol in protocols for k, v in protocol.aggregate(cases).items()}


def means(rows: Sequence[Numbers]) -> Numbers:
    """Return the plain mean of every metric that all rows hold: a mean over some would mislead."""
    common = [metric for metric in rows[0] if all(metric in row for row in rows)] if rows else []
    return {metric: fmean(row[metric] for row in rows) for metric in common}


def mean_of_cases(name: str) -> Callable[[Sequence[Case]], Numbers]:
    """Return the ``aggregate`` of a protocol: plain means over the cases that have any metric."""

    def aggregate(cases: Sequence[Case]) -> Numbers:
        return means([said for case in cases if (said := case.found[name])])

    return aggregate


def grouped(cases: Sequence[Case], key: str) -> dict[str, list[Case]]:
    """Return the cases of each ``frame`` or ``prompt``, as ``key`` says, in their order."""
    groups: dict[str, list[Case]] = {}
    for case in cases:
        groups.setdefault(getattr(case, key), []).append(case)
    return groups


def by_frame(cases: Sequence[Case]) -> dict[str, dict[str, Numbers]]:
    """Return {frame: {prompt: metrics of the case}}."""
    return {
        frame: {case.prompt: case.values for case in members}
        for frame, members in grouped(cases, "frame").items()
    }


def missing(cases: Sequence[Case]) -> list[list[str]]:
    """Return [frame, prompt] of every case without a prediction."""
    return [[case.frame, case.prompt] for case in cases if not case.predicted]


def counted(cases: Sequence[Case]) -> dict[str, int]:
    """Return how many cases there are, and how many have no prediction."""
    return {"pairs": len(cases), "missing": len(missing(cases))}


def prefixed(prefix: str, values: dict[str, Any]) -> dict[str, Any]:
    """Return the values under names that start with a prefix."""
    return {f"{prefix}{name}": value for name, value in values.items()}
