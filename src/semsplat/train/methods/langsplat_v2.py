"""LangSplatV2 (NeurIPS 2025): sparse codes over a codebook per level, on frozen geometry.

Every Gaussian holds, for sub-parts, parts and wholes, a logit for each of 64 entries of the level's
codebook; blended are the softmax's four largest, brought to a sum of 1, and the codebook makes
CLIP's vectors of a pixel's codes afterwards (`semsplat.train.sparse_codes`).  There is no
autoencoder, and no code is decoded by a network.  A prompt asks the maps of all three levels, as
LangSplat's.

Known to us are the four of 64, the three levels and the 10,000 iterations.  Reconstructions, and
parameters: what is compared (``distance``), where the codebook starts (k-means over the regions'
vectors of the training views, or some of them), the logits' start and the rates, which are those
of LangSplat's codes and GAGS's decoder.  The paper's speed comes from kernels that blend four
coefficients; ours blend all 64.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, Self, cast

from pydantic import Field

from semsplat.features.lessons import Lessons
from semsplat.features.store import SceneFeatures
from semsplat.params.base import Positive
from semsplat.params.methods import Frozen, LearningRates
from semsplat.train.methods import Attachment, Stage, Terms, Vectors

if TYPE_CHECKING:
    from torch import Tensor
    from torch.nn import Module

    from semsplat.data.scene import Viewpoint
    from semsplat.fit.views import Ahead, Camera
    from semsplat.train.model import SemanticField
    from semsplat.train.sparse_codes import Codebooks

ANSWERS = ("relevancy", "masks")
TOP, LEVELS = 4, 3
"""Coefficients of a code that are not 0; sub-part, part and whole."""
START_SEED = 0
"""Of where k-means begins: the same for all seeds, as the vectors are."""


class Options(Frozen):
    """Parameters of LangSplatV2."""

    entries: int = Field(ge=TOP, le=4096)
    """entries of each level's codebook"""
    lr: LearningRates
    """learning rates of logits and codebooks"""
    init_std: Positive
    """standard deviation of the logits at the start"""
    start: Literal["kmeans", "regions"]
    """where a codebook starts: the means of its level's vectors, or vectors of some regions"""
    distance: Literal["cosine", "squared"]
    """of a pixel's vector from its region's: of their directions, or |c B - f|^2"""

    def scaled(self, steps: float, rates: float) -> Self:
        """Return the options with the iteration count and the learning rates scaled."""
        return self.model_copy(
            update={"steps": round(self.steps * steps), "lr": self.lr.times(rates)}
        )

    def held(self, _: int) -> int:
        """Return the logits of three levels."""
        return LEVELS * self.entries


def attach(options: Options, _: Lessons | None, features: SceneFeatures | None) -> Attachment:
    """Return logits per Gaussian, and a codebook per level, begun from its level's vectors."""
    import torch

    from semsplat.train.granularity import check_levels
    from semsplat.train.sparse_codes import first_entries

    assert features is not None
    shape = {"out": check_levels(features), "entries": options.entries}
    module, rates = cast("Codebooks", decoder(**shape)), options.lr
    for level, vectors in enumerate(level_vectors(features)):
        if options.start == "regions":
            generator = torch.Generator().manual_seed(START_SEED)
            vectors = vectors[torch.randperm(len(vectors), generator=generator)[: options.entries]]
        with torch.no_grad():
            module.entries[level] = first_entries(vectors, options.entries, START_SEED)
    dim = LEVELS * options.entries
    return Attachment(dim, options.init_std, rates.semantics, shape, module, rates.decoder)


def level_vectors(features: SceneFeatures) -> list[Tensor]:
    """Return the vectors of the regions of every level in the training views, float32 [R, D]."""
    import numpy as np
    import torch

    found: list[list[Tensor]] = [[] for _ in features.layers]
    for name in features.training:
        ids, table = features.regions(name)
        for layer, rows in zip(ids, found, strict=True):
            shown = np.unique(layer[layer >= 0])
            rows.append(torch.from_numpy(table[shown]).float())
    return [torch.cat(rows) for rows in found]


def decoder(out: int, entries: int) -> Module:
    """Return codebooks, which make unit vectors [3, ..., D] of blended codes [..., 3 entries]."""
    from semsplat.train.sparse_codes import Codebooks

    return Codebooks(LEVELS, entries, out)


def shown(semantics: Tensor) -> Tensor:
    """Return every level's sparse codes of logits [N, 3 entries], as they are blended."""
    from semsplat.train.sparse_codes import sparse_codes

    return sparse_codes(semantics.unflatten(-1, (LEVELS, -1)), TOP).flatten(-2)


def semantic_terms(options: Options, stage: Stage) -> Terms:
    """Return every level's distance of pixels from their regions' vectors, a mean over pixels.

    A pixel without a region of a level does not count in it.
    """
    from semsplat.train.granularity import level_maps, plain_mean
    from semsplat.train.sparse_codes import cosine_distance, squared_distance

    assert stage.features is not None
    layers, books = stage.features.layers, cast("Codebooks", stage.decoder)
    distance = cosine_distance if options.distance == "cosine" else squared_distance

    def terms(_: int, view: Camera, blended: Tensor | None) -> dict[str, Tensor]:
        assert blended is not None  # it blends at every step
        maps = level_maps(stage, view)
        parts = zip(layers, books.levels(blended), books.entries, maps.ids, strict=True)
        losses = {}
        for name, codes, codebook, ids in parts:
            targets = (maps.table @ codebook.T)[ids.flatten()]
            found = distance(codes.flatten(0, 1), targets, codebook)
            losses[name] = plain_mean(found.view(ids.shape), ids >= 0)
        return losses

    return terms


def reads(_: Options, stage: Stage) -> Ahead:
    """Return what reads a view's levels."""
    from semsplat.train.granularity import level_maps

    return lambda _, camera: level_maps(stage, camera)


def vectors(field: SemanticField, frame: Viewpoint) -> Vectors:
    """Return the unit vectors of a view on three levels."""
    decoder = cast("Codebooks", field.decoder)
    return Vectors(decoder.mixture(field.blend(frame)), None)
