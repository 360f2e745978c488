"""How fast images become regions and vectors: in batches, and one prompt and one crop at a time."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from segment_anything.modeling import Sam

from semsplat.data.scene import Frame, load_image, load_scene
from semsplat.errors import SemsplatError
from semsplat.evaluate.stopwatch import timed
from semsplat.features import clip, sam
from semsplat.features.clip import Clip
from semsplat.features.crops import region_crop
from semsplat.features.extract import chosen_regions
from semsplat.features.masks import Masks, pooled
from semsplat.features.segmenters import segmenter_kind
from semsplat.features.store import SceneFeatures, open_features
from semsplat.features.weights import find_weights
from semsplat.io import read_json
from semsplat.log import progress
from semsplat.params.features import FeaturesJob
from semsplat.paths import features_dir, scene_dir
from semsplat.provenance import measured_on


class Models(NamedTuple):
    """A recipe with its models."""

    run: FeaturesJob
    sam: Sam | None
    clip: Clip

    def regions(self, image: NDArray[np.uint8], points: NDArray[np.float32] | None) -> Masks:
        """Return the regions of all layers of an image."""
        segmenter = self.run.recipe.segmenter
        kind = segmenter_kind(segmenter.kind)
        options = kind.Options.model_validate(segmenter.options)
        masks = kind.segment(image, options, self.sam, points)
        return pooled(chosen_regions(masks, self.run.recipe.regions))

    def vectors(self, image: NDArray[np.uint8], regions: Masks) -> NDArray[np.float16]:
        """Return the vectors of an image's regions [N, D]."""
        size = self.clip.crop_px
        crops = [region_crop(image, mask, size) for mask in regions.masks]
        stacked = np.stack(crops) if crops else np.zeros((0, size, size, 3), np.uint8)
        return self.clip.encode_crops(stacked, self.run.recipe.crop_batch)


def benchmark(runs: list[str], n_views: int, device: str) -> dict[str, Any]:
    """Return the speed of every extraction, ``dataset/scene/recipe``, on this machine."""
    return {
        "protocol": f"seconds an image, mean over {n_views} views spread evenly, one more before"
        " the clock starts; image, points and models in memory, nothing cached; masks: SAM, filters"
        " and regions; vectors: crops of all regions and CLIP; without dense maps; batched: batches"
        " of the recipe; loop: the same code with one prompt and one crop at a time; synchronised",
        **measured_on(device),
        "runs": {run: measure(run, n_views, device) for run in runs},
    }


def measure(run: str, n_views: int, device: str) -> dict[str, Any]:
    """Return seconds an image both ways, how far the results are apart, and bytes an image."""
    parts = run.split("/")
    if len(parts) != 4:
        raise SemsplatError(f"'{run}' is no dataset/scene/recipe/seed")
    features = open_features(features_dir(*parts))
    config = FeaturesJob.model_validate(read_json(features.folder / "run.json")["config"])
    models = Models(
        config,
        sam.open_model(find_weights(config.sam), device) if config.sam else None,
        clip.open_model(find_weights(config.clip), device),
    )
    frames = spread(load_scene(scene_dir(*parts[:2])).train, n_views + 1)
    both = {"batched": models, "loop": one_at_a_time(models)}
    rows = [compared(both, features, f, device) for f in progress(frames, run)]
    return {**summary(rows[1:]), "size_px": [frames[0].width, frames[0].height],
            "bytes_per_image": bytes_per_image(features)}  # fmt: skip


def spread(frames: tuple[Frame, ...], count: int) -> list[Frame]:
    """Return frames from the first to the last, again from the first where there are too few."""
    places = np.linspace(0, max(len(frames), count) - 1, count).round().astype(int)
    return [frames[place % len(frames)] for place in places]


def one_at_a_time(models: Models) -> Models:
    """Return the same recipe with batches of one."""
    recipe = models.run.recipe
    options = recipe.segmenter.options
    single = {**options, "points_per_batch": 1} if "points_per_batch" in options else options
    segmenter = recipe.segmenter.model_copy(update={"options": single})
    changed = recipe.model_copy(update={"segmenter": segmenter, "crop_batch": 1})
    return models._replace(run=models.run.model_copy(update={"recipe": changed}))


def compared(
    ways: dict[str, Models], features: SceneFeatures, frame: Frame, device: str
) -> dict[str, Any]:
    """Return the seconds of one view's masks and vectors each way, and what differs."""
    image, points = load_image(frame), features.view(frame.name).points
    row: dict[str, Any] = {}
    regions, vectors = {}, {}
    for name, models in ways.items():
        regions[name], masks_s = clocked(lambda m=models: m.regions(image, points), device)  # type: ignore[misc]
        vectors[name], vectors_s = clocked(  # both ways encode the same regions
            lambda m=models: m.vectors(image, regions["batched"]),  # type: ignore[misc]
            device,
        )
        row |= {f"{name}_masks_s": masks_s, f"{name}_vectors_s": vectors_s}
    first, second = (regions[name].masks for name in ways)
    same = first.shape == second.shape
    apart = np.abs(np.subtract(*(v.astype(np.float32) for v in vectors.values())))
    return row | {
        "n_regions": len(first),
        "pixels_differ": int((first != second).sum()) if same else None,
        "vectors_differ": float(apart.max(initial=0)),
    }


def clocked(work: Callable[[], Any], device: str) -> tuple[Any, float]:
    """Return what work returns, and its seconds."""
    kept: list[Any] = []
    seconds = timed(lambda: kept.append(work()), device)
    return kept[0], seconds


def summary(rows: list[dict[str, Any]]) -> dict[str, Any]:
    """Return means and totals over views."""
    keys = [f"{way}_{part}_s" for way in ("batched", "loop") for part in ("masks", "vectors")]
    mean = {key: float(np.mean([row[key] for row in rows])) for key in keys}
    total = {way: mean[f"{way}_masks_s"] + mean[f"{way}_vectors_s"] for way in ("batched", "loop")}
    counts = [row["pixels_differ"] for row in rows]
    return {
        **{f"{way}_s": round(seconds, 4) for way, seconds in total.items()},
        **{key: round(seconds, 4) for key, seconds in mean.items()},
        "times_faster": round(total["loop"] / total["batched"], 2),
        "n_regions": round(float(np.mean([row["n_regions"] for row in rows])), 1),
        "views_with_other_regions": sum(count is None for count in counts),
        "pixels_differ": sum(count or 0 for count in counts),
        "vectors_differ": max(row["vectors_differ"] for row in rows),
    }


def bytes_per_image(features: SceneFeatures) -> int:
    """Return the mean size of the files of the views."""
    files: list[Path] = sorted((features.folder / "views").rglob("*.npz"))
    return round(sum(file.stat().st_size for file in files) / len(files))
