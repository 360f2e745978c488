"""From one view's pixels to its features, step by step, each step cached."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from filelock import FileLock
from numpy.typing import NDArray
from segment_anything.modeling import Sam

from semsplat.arrays import read_arrays, write_arrays
from semsplat.data.scene import Frame, load_image
from semsplat.errors import SemsplatError
from semsplat.features.cache import Arrays, Cache
from semsplat.features.clip import Clip
from semsplat.features.crops import region_crop
from semsplat.features.masks import Masks, pooled, unpacked
from semsplat.features.outlines import contrast, snapped
from semsplat.features.precision import precision_on
from semsplat.features.regions import painted, select_regions
from semsplat.features.scales import scale_maps
from semsplat.features.segmenters import Prompts, segmenter_kind
from semsplat.features.store import Half, ViewFeatures
from semsplat.io import sha256_file
from semsplat.params.features import ClipModel, FeaturesJob, Regions, SamModel, ValueMaps
from semsplat.params.hub import HubModel

if TYPE_CHECKING:
    from semsplat.features.dino import Dino

POOLED = "all"
MOST_REGIONS = np.iinfo(np.int16).max + 1
"""of a view: ids are stored in 16 bits, -1 is none"""


@dataclass(frozen=True)
class Extractor:
    """The models and parameters of one extraction.

    ``run`` names the models by the hashes of the files found.  ``prompts`` gives a frame its points
    where the recipe's segmenter follows a geometry.  ``dino`` is there where the recipe names one.
    """

    run: FeaturesJob
    clip: Clip
    sam: Sam | None
    cache: Cache
    prompts: Callable[[Frame], Prompts] | None = None
    dino: Dino | None = None

    @property
    def layers(self) -> list[str]:
        """The names of the id maps' layers."""
        recipe = self.run.recipe
        return [POOLED] if recipe.regions.pool else [*segmenter_kind(recipe.segmenter.kind).LAYERS]

    def view(self, frame: Frame) -> ViewFeatures:
        """Return the features of one frame; nothing but its image and its prompts is read.

        Raises:
            SemsplatError: more regions than ids.
        """
        image, digest = load_image(frame), sha256_file(frame.image_path)
        prompts = self.prompts(frame) if self.prompts else None
        candidates = self._masks(image, digest, prompts.points if prompts else None)
        chosen = chosen_regions(candidates, self.run.recipe.regions)
        # All layers at once: every batch of crops is filled up.
        regions = pooled(chosen)
        if len(regions) > MOST_REGIONS:
            raise SemsplatError(
                f"{frame.name}: {len(regions)} regions, but a view has ids for {MOST_REGIONS};"
                " raise min_score or min_area_px in the recipe"
            )
        vectors = self._vectors(image, digest, regions) if self.run.recipe.region_vectors else None
        dense, scales = self._dense(image, digest), self._scales(image, digest)
        cells = next((maps.shape[-2:] for maps in (dense, scales) if maps is not None), None)
        return ViewFeatures(
            ids=id_maps(chosen, image, self.run.recipe.regions.snap_px),
            scores=regions.scores.astype(np.float16),
            vectors=vectors,
            dense=dense,
            scales=scales,
            dino=None if cells is None else self._dino(image, digest, (cells[0], cells[1])),
            points=prompts.points if prompts else None,
            depth=prompts.depth if prompts else None,
        )

    def _identity(self, model: ClipModel | SamModel | HubModel) -> tuple[str | None, str]:
        """Return what a model's results depend on: its weights and what they are computed in."""
        return model.sha256, precision_on(self.clip.device, model.precision)

    def _masks(
        self, image: NDArray[np.uint8], digest: str, points: NDArray[np.float32] | None
    ) -> dict[str, Masks]:
        """Return the segmenter's candidates, layer by layer."""
        segmenter = self.run.recipe.segmenter
        kind = segmenter_kind(segmenter.kind)
        options = kind.Options.model_validate(segmenter.options)
        path = self.cache.path(
            "masks",
            (kind.__name__, "semsplat.features.sam"),
            image=digest,
            options=segmenter.options,
            model=self._identity(self.run.sam) if self.run.sam else None,
            points=None if points is None else points.tolist(),
        )

        def compute() -> Arrays:
            levels = kind.segment(image, options, self.sam, points)
            return {f"{n}.{k}": v for n, masks in levels.items() for k, v in masks.packed().items()}

        arrays = self.cache.get(path, compute)
        fields = ("bits", "scores", "shape")
        return {n: unpacked({k: arrays[f"{n}.{k}"] for k in fields}) for n in kind.LAYERS}

    def _vectors(self, image: NDArray[np.uint8], digest: str, masks: Masks) -> Half:
        """Return the crop vectors of masks [N, D]; only masks never seen before are encoded."""
        digests = [hashlib.sha256(np.packbits(mask).tobytes()) for mask in masks.masks]
        names = [digest.hexdigest()[:24] for digest in digests]
        path = self.cache.path(
            "vectors",
            ("semsplat.features.crops", "semsplat.features.clip"),
            image=digest,
            model=self._identity(self.run.clip),
            batch=self.run.recipe.crop_batch,
        )
        known = _known_vectors(path)
        fresh = {n: m for n, m in zip(names, masks.masks, strict=True) if n not in known}
        if fresh:
            self.cache.made += 1
            crops = [region_crop(image, mask, self.clip.crop_px) for mask in fresh.values()]
            encoded = self.clip.encode_crops(np.stack(crops), self.run.recipe.crop_batch)
            known = _remember(path, dict(zip(fresh, encoded, strict=True)))
        elif names:
            self.cache.served += 1
        rows = [known[name] for name in names]
        return np.stack(rows) if rows else np.zeros((0, self.clip.dimensions), np.float16)

    def _dense(self, image: NDArray[np.uint8], digest: str) -> Half | None:
        """Return the dense map [D, h, w], or None if the recipe makes none.

        Of windows that are kept apart none is made: it would take every crop again.
        """
        recipe = self.run.recipe
        if recipe.dense is None or (recipe.apart and recipe.window_maps):
            return None
        encode = partial(self.clip.encode_dense, image, recipe.dense, recipe.crop_batch)
        return self._encoded("dense", ("semsplat.features.clip",), digest, encode)

    def _scales(self, image: NDArray[np.uint8], digest: str) -> Half | None:
        """Return the dense maps [S, D, h, w] of single sizes, or None if the recipe mixes them."""
        recipe = self.run.recipe
        options = recipe.dense
        if not recipe.apart or options is None or isinstance(options, ValueMaps):
            return None
        encode = partial(scale_maps, self.clip, image, options, recipe.crop_batch)
        modules = ("semsplat.features.scales", "semsplat.features.clip")
        return self._encoded("scales", modules, digest, encode)

    def _encoded(
        self, kind: str, modules: tuple[str, ...], digest: str, encode: Callable[[], Half]
    ) -> Half:
        """Return CLIP's maps of an image, which depend on the recipe's dense maps and batches."""
        recipe = self.run.recipe
        assert recipe.dense is not None
        path = self.cache.path(
            kind,
            modules,
            image=digest,
            model=self._identity(self.run.clip),
            options=recipe.dense.model_dump(),
            batch=recipe.crop_batch,
        )
        return self.cache.get(path, lambda: {kind: encode()})[kind]

    def _dino(self, image: NDArray[np.uint8], digest: str, cells: tuple[int, int]) -> Half | None:
        """Return DINO's map [C, h, w] on the cells of the dense map, or None if there is none."""
        if self.dino is None:
            return None
        options, dino = self.dino.options, self.dino
        path = self.cache.path(
            "dino",
            ("semsplat.features.dino",),
            image=digest,
            model=self._identity(options.model),
            options=[options.short_side_px, options.stride_px],
            cells=cells,
        )
        return self.cache.get(path, lambda: {"dino": dino.encode(image, cells)})["dino"]


def chosen_regions(candidates: dict[str, Masks], config: Regions) -> list[Masks]:
    """Return the regions of every layer, of one layer of all masks if they are pooled."""
    layers = [pooled(candidates.values())] if config.pool else list(candidates.values())
    return [select_regions(masks, config) for masks in layers]


def id_maps(
    chosen: list[Masks], image: NDArray[np.uint8], snap_px: int | None
) -> NDArray[np.int16]:
    """Return the id maps int16 [L, H, W] of layers of regions; ids count on from layer to layer.

    Args:
        chosen: the regions of every layer of an image, fewer than `MOST_REGIONS` in all.
        image: uint8 [H, W, 3].
        snap_px: see `snapped`; None leaves outlines as painted.
    """
    starts = np.cumsum([0, *map(len, chosen)])[:-1]
    ids = [painted(masks, int(start)) for masks, start in zip(chosen, starts, strict=True)]
    if snap_px is not None:
        change = contrast(image)
        ids = [snapped(layer, change, snap_px) for layer in ids]
    return np.stack(ids)


def _known_vectors(path: Path) -> dict[str, Half]:
    """Return the vectors that an earlier extraction kept for an image, by mask name."""
    if not path.is_file():
        return {}
    arrays = read_arrays(path)
    return dict(zip(arrays["names"].astype(str).tolist(), arrays["vectors"], strict=True))


def _remember(path: Path, fresh: dict[str, Half]) -> dict[str, Half]:
    """Add vectors to those kept for an image and return all; other recipes may add meanwhile."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(path.parent / ".lock"):
        known = _known_vectors(path) | fresh
        names = np.array(list(known), "S24")
        write_arrays(path, {"names": names, "vectors": np.stack([*known.values()])})
    return known
