"""How each protocol is shown a striped world, what it says of a perfect prediction, and which
properties cannot be asked of it.

A protocol without an entry here fails `test_protocols`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from statistics import fmean
from typing import Any

from hypothesis import strategies as st

from semsplat.evaluate.protocols import feature_labels, instances
from tests.unit.evaluate.protocol_worlds import (
    Judge,
    World,
    ids_of,
    judge_features,
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
    """One protocol's entry."""

    judge: Judge | None  # None where nothing lies on disk in between
    best: dict[str, float]
    """{metric: its value for a perfect prediction}"""
    prefix: str = ""
    """of the metrics in ``scores.json``"""
    neighbours: bool = False
    """it compares views that follow each other: perfect where all views show the same"""
    unasked: dict[str, str] = field(default_factory=dict)
    """{metric: why a perfect prediction has no value of it here}"""
    exempt: dict[str, str] = field(default_factory=dict)
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
    found = [
        instances.score(ids_of(view.said or (), world.said_on_void), ids_of(view.truth))
        for view in world.views
    ]
    return {"ari": fmean(value for value in found if value is not None)}


NO_VOID = "what lies outside a true mask is wrong, not void"
IN_ONE_GO = "drawn and scored in one go, no file lies between"
FEATURES = {f"{k}_{m}": 1.0 for k in feature_labels.KINDS for m in feature_labels.LABEL_MEASURES}
FEATURES |= {f"{kind}_inconsistency": 0.0 for kind in feature_labels.KINDS}
COVERAGE = {f"{k}_coverage": "a share of all pixels, void ones too" for k in feature_labels.KINDS}
QUERIES = {"void": NO_VOID}

ADAPTERS = {
    "rgb/held_out@2": Adapter(
        judge_rgb,
        {"psnr": 100.0, "ssim": 1.0},
        unasked={"lpips": "needs weights, which tests do not fetch"},
        exempt={"void": "every pixel counts", "empty": "every held-out view has a photograph"},
    ),
    "clipgs/image_mean@1": Adapter(judge_setting, {"miou": 1.0, "accuracy": 1.0}),
    "class_maps/pooled@1": Adapter(judge_setting, {"pooled_miou": 1.0, "class_accuracy": 1.0}),
    "class_maps/inconsistency@2": Adapter(
        judge_setting,
        {"inconsistency": 0.0},
        neighbours=True,
        exempt={
            "swapped": "where it is perfect all views show the same",
            "void": "there is no truth, and so no void",
            "empty": "there is no truth, and so no empty one",
        },
    ),
    "lerf_ovs/localisation@1": Adapter(judge_queries, {"localisation": 1.0}, exempt=QUERIES),
    "lerf_ovs/localisation_scaled@1": Adapter(
        judge_queries, {"localisation_scaled": 1.0}, exempt=QUERIES
    ),
    "lerf_ovs/segmentation@1": Adapter(judge_queries, {"query_miou": 1.0}, exempt=QUERIES),
    "lerf_ovs/segmentation_frozen@1": Adapter(
        judge_queries, {"query_miou_frozen": 1.0}, exempt=QUERIES
    ),
    "lerf_mask/pairs@1": Adapter(
        judge_selections,
        {"mask_miou": 1.0, "mask_mbiou": 1.0},
        prefix="points_",
        exempt={"void": NO_VOID},
    ),
    "lerf_mask/classes@1": Adapter(
        judge_selections,
        {"class_miou": 1.0, "class_mbiou": 1.0},
        prefix="points_",
        exempt={"void": NO_VOID},
    ),
    "ovs3d/argmax@1": Adapter(judge_selections, {"argmax_miou": 1.0}, prefix="points_"),
    "features/labels@1": Adapter(
        judge_features,
        FEATURES,
        neighbours=True,
        unasked=COVERAGE,
        exempt={
            "swapped": "where it is perfect all views show the same",
            "missing": "a view without features is an error",
        },
    ),
    "instances/ari@1": Adapter(
        None,
        {"ari": 1.0},
        exempt=dict.fromkeys(("names", "swapped", "missing", "size"), IN_ONE_GO),
    ),
}
