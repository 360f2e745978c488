"""Parameters of the phase *evaluate*."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import Field

from semsplat.params.base import Count, Fraction, Strict
from semsplat.params.features import SamModel
from semsplat.params.hub import HubModel


class Click(Strict):
    """A pixel that shows an object."""

    view: str
    """name of the frame, held out or not"""
    pixel: Annotated[list[int], Field(min_length=2, max_length=2)]
    """x and y from the top left corner, in pixels of the canonical scene's images"""


class Clusters(Strict):
    """Instances without a query: density clusters of the features that Gaussians hold."""

    samples: Count
    """Gaussians that are clustered; the others get the cluster of the most similar one of them"""
    min_opacity: float = Field(ge=0, lt=1)
    """of what is clustered: what nobody sees was never taught"""
    min_share: float = Field(gt=0, lt=1)
    """of the samples that a cluster has at least"""


class GroundingDino(Strict):
    """From a text to a box and from the box to a mask (CGC, section 4.2.2)."""

    model: HubModel
    """a GroundingDinoForObjectDetection, such as IDEA-Research/grounding-dino-base"""
    sam: str
    """name of the SAM that is asked for the mask"""
    box_threshold: Fraction
    """boxes whose score is not above it are dropped; Gaussian Grouping: 0.3"""
    text_threshold: Fraction
    """words of the prompt whose score is above it name a box in the log, and drop none; Gaussian
    Grouping: 0.45"""
    short_side_px: Count
    """photographs are resized to this short side; Gaussian Grouping: 800"""
    long_side_px: Count
    """or to this long side, where that is less; Gaussian Grouping: 1333"""


class ColourScores(Strict):
    """What the scores of colours are told."""

    lpips_net: Literal["alex", "vgg"]


class SelectionsJob(Strict):
    """Everything that the selections of one scene are told."""

    clicks: dict[str, Click]
    grounders: list[str]
    grounding_dino: GroundingDino | None
    sam: SamModel | None


class Evaluate(Strict):
    """Scores of held-out views."""

    lpips_net: Literal["alex", "vgg"]
    """backbone of LPIPS; scored only where its weights are on disk"""
    speed_repeats: Count
    """rendered frames of which the median counts as the speed of a training; of slow work fewer"""
    clicks: dict[str, dict[str, Click]]
    """by {dataset}/{scene}: a name and the click that selects what it means"""
    grounders: list[str]
    """files in src/semsplat/evaluate/grounders: how prompts become clicks, besides a person's"""
    grounding_dino: GroundingDino | None
    """of the grounder grounding_dino; null where it is not asked"""
    clusters: Clusters
    """of methods that group Gaussians"""

    def selections_job(self, place: str, sam_models: Mapping[str, SamModel]) -> SelectionsJob:
        """Return what the selections of a scene, ``dataset/scene``, are told.

        What no grounder asks for is left out, so that it changes no result.
        """
        dino = self.grounding_dino if "grounding_dino" in self.grounders else None
        return SelectionsJob(
            clicks=self.clicks.get(place, {}),
            grounders=self.grounders,
            grounding_dino=dino,
            sam=sam_models[dino.sam] if dino else None,
        )
