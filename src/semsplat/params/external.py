"""Predictions that were made elsewhere: their entry in ``params.yaml``, their author's card."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from semsplat.params.base import Positive, Strict

Text = Annotated[str, Field(min_length=1, max_length=500, pattern=r"^[^\r\n]*\S[^\r\n]*$")]


class External(Strict):
    """A method whose predictions were made elsewhere; figures and tables name it as a setting."""

    folder: Text
    """with card.yaml and {dataset}/{scene}/{seed}/{answer}/, as docs/external.md describes"""
    answers: list[str] = Field(min_length=1)
    """what the predictions answer, files in src/semsplat/evaluate/external"""
    scenes: list[str] = Field(min_length=1)
    """dataset/scene of which there are predictions; a suite's others have none of this method"""
    seeds: list[Annotated[int, Field(ge=0)]] = Field(min_length=1)
    """of which there are predictions: independent runs of the method, each in its own folder"""

    def covers(self, dataset: str, scene: str, seed: int) -> bool:
        """Tell whether there should be predictions of a run."""
        return f"{dataset}/{scene}" in self.scenes and seed in self.seeds


class Spent(Strict):
    """What one run took elsewhere, as far as its author says; on the card's device."""

    preprocess_s: Positive | None = None
    """seconds of what is made of the images before any training: masks, vectors"""
    geometry_s: Positive | None = None
    """seconds of a geometry that was finished before"""
    train_s: Positive | None = None
    """seconds of the training"""
    query_ms: Positive | None = None
    """milliseconds of one prompt in one view"""
    peak_gpu_mb: Positive | None = None
    """the largest memory of the GPU"""


class ExternalCard(Strict):
    """``card.yaml``: who made predictions, with what, and what they were told."""

    method: Text
    """its name, as it shall be read"""
    who: Text
    """who ran it"""
    repository: Text
    """where its code is"""
    commit: Annotated[str, Field(pattern=r"^[0-9a-f]{40}$")]
    """of that code, all 40 digits"""
    changes: str
    """what was changed in that code; empty for nothing"""
    device: Text
    """that it ran on"""
    geometry: Literal["ours", "own"]
    """ours: the splat of results/geometry of the same scene and seed; own: anything else"""
    told: list[Text]
    """what it was told of the truth or of held-out views; empty for nothing"""
    spent: dict[str, Spent] = Field(default_factory=dict)
    """by dataset/scene/seed"""


class ExternalJob(Strict):
    """Everything that one import is told."""

    dataset: str
    scene: str
    setting: str
    seed: int
    answers: list[str]
