"""Which grounders are asked: what is refused, and what the selections of a scene are told."""

from __future__ import annotations

from typing import Any

import pytest

from semsplat.experiment.check import check
from tests.unit.experiment.test_check import changed, mistakes

DINO: dict[str, Any] = {
    "model": {"folder": "downloads/models/GroundingDINO", "sha256": None, "precision": "float32"},
    "sam": "tiny",
    "box_threshold": 0.3,
    "text_threshold": 0.45,
    "short_side_px": 800,
    "long_side_px": 1333,
}
ALL = ["clip_regions", "grounding_dino", "points"]


@pytest.mark.parametrize(
    ("asked", "dino", "line"),
    [
        (
            [*ALL, "dino"], DINO,
            "evaluate.grounders: 'dino' is not defined; known: clip_regions, grounding_dino,"
            " points",
        ),
        (
            [*ALL, "grounding_dyno"], DINO,
            "evaluate.grounders: 'grounding_dyno' is not defined; did you mean 'grounding_dino'?",
        ),
        (
            [*ALL, "clicks"], DINO,
            "evaluate.grounders: 'clicks' is not defined; known: clip_regions, grounding_dino,"
            " points",
        ),
        ([*ALL, "points"], DINO, "evaluate.grounders: 'points' stands twice; remove one"),
        (
            ALL, None,
            "evaluate.grounding_dino: null, though evaluate.grounders asks it; name its model, or"
            " remove it there",
        ),
        (
            ALL, {**DINO, "sam": "tinny"},
            "evaluate.grounding_dino.sam: 'tinny' is not defined; did you mean 'tiny'?",
        ),
        (
            ALL, {**DINO, "box_threshold": 1.5},
            "evaluate.grounding_dino.box_threshold: input should be less than or equal to 1 (got"
            " 1.5)",
        ),
        (
            ALL, {**DINO, "model": {**DINO["model"], "sha256": "abc"}},
            "evaluate.grounding_dino.model.sha256: string should match pattern '^[0-9a-f]{64}$'"
            " (got 'abc')",
        ),
    ],
)  # fmt: skip
def test_a_mistake_is_one_line(asked: list[str], dino: Any, line: str) -> None:
    config = changed(("evaluate/grounders", asked), ("evaluate/grounding_dino", dino))
    assert mistakes(config) == [line]


def test_a_figure_of_a_grounder_that_is_not_asked_is_refused() -> None:
    lines = mistakes(changed(("evaluate/grounders", ["points"])))
    assert lines == [
        f"figures.{name}.options.grounder: 'clip_regions' is not asked; add it to"
        " evaluate.grounders"
        for name in ("radiance_texts", "cgc_texts")
    ]


@pytest.mark.parametrize("asked", [ALL, ["clip_regions", "points"]])
def test_a_section_may_stand_there_asked_or_not(asked: list[str]) -> None:
    config = changed(("evaluate/grounders", asked), ("evaluate/grounding_dino", DINO))
    params = check(config)
    run = params.evaluate.selections_job("photos/kermit", params.features.sam_models)
    assert run.grounders == asked
    assert set(run.clicks) == {"frog", "kanji book", "striped book"}
    if "grounding_dino" in asked:
        assert run.grounding_dino == params.evaluate.grounding_dino
        assert run.sam == params.features.sam_models["tiny"]
    else:  # what is not asked changes no result
        assert run.grounding_dino is None and run.sam is None
    assert params.evaluate.selections_job("a/b", params.features.sam_models).clicks == {}
