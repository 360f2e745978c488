"""Parameters of the phase *evaluate*."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from semsplat.params.base import Count, Strict


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


class Evaluate(Strict):
    """Scores of held-out views."""

    lpips_net: Literal["alex", "vgg"]
    """backbone of LPIPS; scored only where its weights are on disk"""
    speed_repeats: Count
    """rendered frames of which the median counts as the speed of a training"""
    clicks: dict[str, dict[str, Click]]
    """by {dataset}/{scene}: a name and the click that selects what it means"""
    clusters: Clusters
    """of methods that group Gaussians"""
