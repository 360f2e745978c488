"""Parameters of judging the embedded networks.

Apart from `semsplat.params.networks`, so that a change here is no change of the trainings' code.
"""

from __future__ import annotations

from pydantic import Field

from semsplat.params.base import Count, Fraction, Positive, Strict
from semsplat.params.features import Recipe, Regions
from semsplat.params.networks import Networks, Pictures, PictureSets, SeedRange


class AllPictureSets(PictureSets):
    """The worlds for learning and those for judging; no two sets, and no suite, share a seed."""

    tune: SeedRange
    """for choosing the thresholds of automatic masks"""
    quality: SeedRange
    """for the reported quality; nothing is chosen by them"""


class AutomaticMasks(Strict):
    """Settings of segment_anything's SamAutomaticMaskGenerator."""

    points_per_side: Count
    """clicks along a side of the image"""
    pred_iou_thresh: Fraction
    """masks whose predicted IoU is not above it are dropped"""
    stability_score_thresh: Fraction
    """masks of lower stability are dropped"""
    stability_score_offset: Positive
    """by which the logit threshold is moved to measure stability"""
    box_nms_thresh: Fraction
    """a mask is dropped if its box's IoU with that of a better one exceeds it"""
    min_mask_region_area: int = Field(ge=0)
    """smaller islands and holes are removed; 0 for none"""


class ThresholdGrid(Strict):
    """The thresholds that are tried, all combinations of them."""

    pred_iou_thresh: list[Fraction] = Field(min_length=1)
    """thresholds of the predicted IoU"""
    stability_score_thresh: list[Fraction] = Field(min_length=1)
    """thresholds of stability"""
    box_nms_thresh: list[Fraction] = Field(min_length=1)
    """thresholds of the boxes' IoU"""
    max_regions_per_instance: Positive
    """settings with more regions per instance are out of the question"""


class AllNetworks(Networks):
    """The two networks that the repository ships, and how they are judged."""

    pictures: AllPictureSets
    """what they learn from and are judged by"""
    automatic: AutomaticMasks
    """how the tiny SAM makes masks without prompts"""
    tuning: ThresholdGrid
    """what tune-sam tries"""


class JudgingJob(Strict):
    """What all judging of the networks is told."""

    shape: Pictures
    seeds: SeedRange
    automatic: AutomaticMasks


class QualityJob(JudgingJob):
    """Everything the judging of both networks is told."""

    recipes: dict[str, Recipe]
    """whose regions are voted on"""


class TuningJob(JudgingJob):
    """Everything the choice of thresholds is told."""

    regions: Regions
    """what becomes of the masks"""
    grid: ThresholdGrid
