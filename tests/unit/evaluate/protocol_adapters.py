"""How protocols are shown a striped world, and which properties cannot be asked of some.

Every protocol is asked for every property; what it says of a perfect prediction stands in its
``METRICS``.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import ModuleType
from typing import Any

from hypothesis import strategies as st

from semsplat.evaluate.cases import judge
from semsplat.evaluate.protocols import instances, protocols
from tests.unit.evaluate.protocol_worlds import (
    Judge,
    World,
    ids_of,
    judge_features,
    judge_masks,
    judge_points,
    judge_queries,
    judge_rgb,
    judge_selections,
    judge_setting,
    judged,
    perfect_worlds,
    worlds,
)

PROPERTIES = ("names", "swapped", "missing", "order", "size", "void", "empty")
"""Besides perfection, of which no protocol is exempt."""


@dataclass(frozen=True)
class Adapter:
    """How one protocol is shown a world."""

    judge: Judge | None  # None where nothing lies on disk in between
    best: dict[str, float]
    """{metric: its value for a perfect prediction}, of those that tests can compute"""
    prefix: str
    """of the metrics in ``scores.json``"""
    neighbours: bool
    """it compares views that follow each other: perfect where all views show the same"""
    exempt: dict[str, str]
    """{property: why it cannot be asked}"""

    def values(self, world: World) -> dict[str, float]:
        """Return the protocol's metrics of a world, without prefixes."""
        if self.judge is None:
            return partition_values(world)
        metrics = judged(self.judge, world)["metrics"]
        return {metric: metrics[f"{self.prefix}{metric}"] for metric in self.best}

    def counts(self, world: World, name: str) -> Any:
        """Return what ``scores.json`` says about predictions that may be missing; else None."""
        if "missing" in self.exempt:
            return None
        return judged(self.judge, world)["counts"][name]

    def worlds(self) -> st.SearchStrategy[World]:
        """Return worlds of any quality."""
        return worlds(self.neighbours, "missing" not in self.exempt)

    def perfect_worlds(self) -> st.SearchStrategy[World]:
        """Return worlds in which the protocol is perfect."""
        return perfect_worlds(self.neighbours)


def partition_values(world: World) -> dict[str, float]:
    """Return the mean index of maps that are scored as they are drawn."""
    said = [ids_of(view.said or (), world.said_on_void) for view in world.views]
    truth = [ids_of(view.truth) for view in world.views]
    cases = [judge([instances], "", "", *both) for both in zip(said, truth, strict=True)]
    return instances.aggregate(cases)


JUDGES: dict[str, tuple[Judge | None, str]] = {
    "photographs": (judge_rgb, ""),
    "class_maps": (judge_setting, ""),
    "neighbours": (judge_setting, ""),
    "relevancy": (judge_queries, ""),
    "silhouettes": (judge_queries, ""),
    "masks": (judge_selections, "points_"),
    "prompt_maps": (judge_selections, "points_"),
    "query_masks": (judge_masks, "points_"),
    "points": (judge_points, ""),
    "feature_labels": (judge_features, ""),
    "clusters": (None, ""),
}
"""{kind of case: what scores it from disk, and the prefix of its metrics}."""
NEIGHBOURS = ("neighbours", "points", "feature_labels")
UNASKED = {"lpips": "needs weights, which tests do not fetch"}
NO_VOID = "what lies outside a true mask is wrong, not void"
IN_ONE_GO = "drawn and scored in one go, no file lies between"
ONE_FILE = "Gaussians are asked once for all views"
SAME_EVERYWHERE = "where it is perfect all views show the same"
EXEMPT = {
    "rgb/held_out@2": {
        "void": "every pixel counts",
        "empty": "every held-out view has a photograph",
    },
    "class_maps/inconsistency@2": {
        "swapped": SAME_EVERYWHERE,
        "void": "there is no truth, and so no void",
        "empty": "there is no truth, and so no empty one",
    },
    "lerf_ovs/localisation@1": {"void": NO_VOID},
    "lerf_ovs/localisation_scaled@1": {"void": NO_VOID},
    "lerf_ovs/segmentation@1": {"void": NO_VOID},
    "lerf_ovs/segmentation_frozen@1": {"void": NO_VOID},
    "lerf_ovs/masks@1": {"void": NO_VOID},
    "lerf_ovs/select3d@1": {"void": NO_VOID},
    "lerf_mask/pairs@1": {"void": NO_VOID},
    "lerf_mask/classes@1": {"void": NO_VOID},
    "scannet/points@1": {
        "swapped": ONE_FILE,
        "missing": ONE_FILE,
        "size": "Gaussians are in the scene, not in a picture",
    },
    "features/labels@1": {
        "swapped": SAME_EVERYWHERE,
        "missing": "a view without features is an error",
    },
    "instances/ari@1": dict.fromkeys(("names", "swapped", "missing", "size"), IN_ONE_GO),
}
"""{protocol: {property: why it cannot be asked}}."""


def adapter(name: str, module: ModuleType) -> Adapter:
    """Return how a protocol is shown a world."""
    known = {m: best for m, best in module.METRICS.items() if best is not None}
    best = {metric: value for metric, value in known.items() if metric not in UNASKED}
    judged_by, prefix = JUDGES[module.CASES]
    return Adapter(judged_by, best, prefix, module.CASES in NEIGHBOURS, EXEMPT.get(name, {}))


ADAPTERS = {name: adapter(name, module) for name, module in protocols().items()}
