"""Automatic masks of a SAM against true masks, and thresholds chosen on worlds of their own."""

from __future__ import annotations

import time
from itertools import product
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from segment_anything import SamAutomaticMaskGenerator
from segment_anything.modeling import Sam
from torchvision.ops import nms

from semsplat.errors import SemsplatError
from semsplat.features.extract import id_maps
from semsplat.features.masks import Masks
from semsplat.features.regions import select_regions
from semsplat.log import progress
from semsplat.networks.pictures import PictureSet
from semsplat.networks.quality.truth import Thing, overlaps, things
from semsplat.networks.quality.votes import best_votes
from semsplat.params.features import Regions
from semsplat.params.quality import AutomaticMasks, ThresholdGrid, TuningJob

INSTANCE_PX, PART_PX = 100, 60  # smaller ones are not asked for


def automatic_quality(sam: Sam, pictures: PictureSet, config: AutomaticMasks) -> dict[str, float]:
    """Return how well automatic masks meet instances, objects and parts; masks and s an image."""
    generator = SamAutomaticMaskGenerator(sam, **config.model_dump())
    best: dict[str, list[float]] = {"instances": [], "objects": [], "parts": []}
    counts, seconds = [], []
    for index in progress(range(len(pictures)), "automatic masks"):
        start = time.perf_counter()
        records = generator.generate(pictures.images[index])
        seconds.append(time.perf_counter() - start)
        counts.append(len(records))
        instances = things(pictures, index, "instance", INSTANCE_PX)
        parts = things(pictures, index, "part", PART_PX)
        values = best_overlaps(records, instances)
        best["instances"] += values.tolist()
        best["objects"] += values[[thing.is_object for thing in instances]].tolist()
        best["parts"] += best_overlaps(records, parts).tolist()
    means = {f"best_iou_{name}": float(np.mean(values)) for name, values in best.items()}
    return {
        **means,
        "masks_per_image": float(np.mean(counts)),
        "seconds_per_image": float(np.median(seconds)),
    }


def best_overlaps(records: list[dict[str, Any]], wanted: list[Thing]) -> NDArray[np.float64]:
    """Return the best IoU of any found mask with each thing, float64 [T]; 0 if none is found."""
    if not records or not wanted:
        return np.zeros(len(wanted))
    masks = np.stack([record["segmentation"] for record in records])
    return np.asarray(overlaps(masks, np.stack([thing.mask for thing in wanted])).max(axis=0))


class Thresholds(NamedTuple):
    """One point of the grid; names as in `AutomaticMasks`."""

    pred_iou_thresh: float
    stability_score_thresh: float
    box_nms_thresh: float


class Candidates(NamedTuple):
    """All masks of an image that any point of the grid keeps, before boxes are compared.

    ``masks`` bool [N, H, W]; ``boxes`` float32 [N, 4] (x0, y0, x1, y1); ``scores`` (predicted IoU)
    and ``stability`` float32 [N]; ``overlap`` float64 [N, T], IoU with every true instance.
    """

    masks: NDArray[np.bool_]
    boxes: torch.Tensor
    scores: torch.Tensor
    stability: torch.Tensor
    overlap: NDArray[np.float64]


def tuned(sam: Sam, pictures: PictureSet, run: TuningJob) -> dict[str, Any]:
    """Return all settings of the grid, best vote first, and the best that makes few enough regions.

    Raises a one-line `SemsplatError` when every setting makes too many.
    """
    grid = run.grid
    loosest = loosest_settings(run.automatic, grid)
    generator = SamAutomaticMaskGenerator(sam, **loosest.model_dump())
    images = progress(range(len(pictures)), "candidates")
    several = [candidates(generator, pictures, index) for index in images]
    points = [*product(grid.pred_iou_thresh, grid.stability_score_thresh, grid.box_nms_thresh)]
    rows = [
        measured(several, pictures, Thresholds(*point), run.regions)
        for point in progress(points, "thresholds")
    ]
    rows.sort(key=lambda row: -row["miou"])
    most = grid.max_regions_per_instance
    possible = [row for row in rows if row["regions_per_instance"] <= most]
    if not possible:
        raise SemsplatError(
            f"networks.tuning: every setting makes over {most:g} regions an instance"
        )
    return {"chosen": possible[0], "settings": rows}


def loosest_settings(config: AutomaticMasks, grid: ThresholdGrid) -> AutomaticMasks:
    """Return settings that drop nothing which any point of the grid keeps.

    Islands stay: the generator removes them after it has compared boxes.
    """
    change = {
        "pred_iou_thresh": min(grid.pred_iou_thresh),
        "stability_score_thresh": min(grid.stability_score_thresh),
        "box_nms_thresh": 1.0,
        "min_mask_region_area": 0,
    }
    return config.model_copy(update=change)


def candidates(
    generator: SamAutomaticMaskGenerator, pictures: PictureSet, index: int
) -> Candidates:
    """Return what the generator finds in picture ``index``, compared with its instances."""
    records = generator.generate(pictures.images[index])
    truths = np.stack([t.mask for t in things(pictures, index, "instance", INSTANCE_PX)])
    masks = np.zeros((len(records), *truths.shape[1:]), bool)
    for mask, record in zip(masks, records, strict=True):
        mask[:] = record["segmentation"]
    boxes = torch.tensor([r["bbox"] for r in records], dtype=torch.float32).reshape(-1, 4)
    boxes[:, 2:] += boxes[:, :2]
    scores = torch.tensor([r["predicted_iou"] for r in records])
    stability = torch.tensor([r["stability_score"] for r in records])
    return Candidates(masks, boxes, scores, stability, overlaps(masks, truths))


def kept(image: Candidates, thresholds: Thresholds) -> torch.Tensor:
    """Return which candidates the generator would keep: int64 indices, best predicted first."""
    good = (image.scores > thresholds.pred_iou_thresh) | (thresholds.pred_iou_thresh == 0)
    good &= image.stability >= thresholds.stability_score_thresh
    chosen = good.nonzero()[:, 0]
    order = nms(image.boxes[chosen], image.scores[chosen], thresholds.box_nms_thresh)
    return chosen[order]


def measured(
    several: list[Candidates], pictures: PictureSet, thresholds: Thresholds, config: Regions
) -> dict[str, float]:
    """Return thresholds, mean best IoU with instances, masks an image, and best votes."""
    best, counts, maps = [], [], []
    for image, candidate in zip(pictures.images, several, strict=True):
        chosen = kept(candidate, thresholds)
        best.append(candidate.overlap[chosen.numpy()].max(axis=0, initial=0.0))
        counts.append(len(chosen))
        scores = (candidate.scores * candidate.stability)[chosen].clamp(0, 1).numpy()
        regions = select_regions(Masks(candidate.masks[chosen.numpy()], scores), config)
        maps.append(id_maps([regions], image, config.snap_px)[0])
    return {
        **thresholds._asdict(),
        "best_iou_instances": float(np.concatenate(best).mean()),
        "masks_per_image": float(np.mean(counts)),
        **best_votes(maps, pictures),
    }
