"""Granularity-aware prompt points: SAM is asked more often where a view is farther than others.

GAGS section 3.1, Eq. 1 and appendix 6.1; what the official code does otherwise is an option
(METHODS 2.1 and 2.2).  `scene`: the least depth at which any view sees a pixel's surface, and the
points of every view.  `sampling`: how many points that depth asks for in each patch, and which.
"""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from semsplat.params.base import Count, Positive, Strict


class PointOptions(Strict):
    """Where SAM is asked."""

    minimum_depth: Literal["dense", "centres"]
    """over which the depth counts: dense: pixels seen in other views (GAGS's text); centres:
    Gaussians' centres seen in other views, where one falls on a pixel (GAGS's code)"""
    visible_tolerance: Positive
    """relative difference of depth up to which a view sees a point; GAGS's code: 0.25"""
    rule: Literal["paper", "code"]
    """points of a patch: paper: base_points x mean squared ratio of depth and least depth; code:
    the square of int(square root of base_points x ratio of their means)"""
    base_points: Count
    """points in a patch that no other view sees from nearer; 8 x 8 patches"""
    most_points: Count
    """upper limit of the points in a patch; GAGS's code: 400"""
    sampling_seed: int = Field(ge=0)
    """of the draws, added to the run's seed and joined by the view's name; GAGS's code: 42"""
