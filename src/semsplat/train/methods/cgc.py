"""Contrastive Gaussian Clustering (Silva et al. 2024, arXiv 2404.12784 v1): features from masks.

Every Gaussian holds a feature.  Blended and brought to length 1, the features of a view's masks are
drawn together and pushed apart (Eq. 3); masks need not agree between views.  Close Gaussians are
kept alike and far ones apart (Eq. 4).  A pixel's or a Gaussian's feature then selects its object
everywhere by cosine similarity (Eq. 6).  Where the official code does otherwise, an option says so
(METHODS 3.2).
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Literal, Self

import numpy as np
from pydantic import Field

from semsplat.errors import SemsplatError
from semsplat.features.lessons import Lessons
from semsplat.features.store import SceneFeatures
from semsplat.params.base import Count, Positive, Strict
from semsplat.params.methods import Masked
from semsplat.train.methods import Attachment, Stage, Terms

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torch import Tensor
    from torch.nn import Module

    from semsplat.fit.views import Ahead, Camera
    from semsplat.train.contrast import Clusters

ANSWERS = ("similarity",)


class Repeated(Strict):
    """A loss that is used at some steps."""

    every: Count
    """steps from one use to the next"""

    def scaled(self, steps: float) -> Self:
        """Return the loss with its interval scaled, down to every step."""
        return self.model_copy(update={"every": max(1, round(self.every * steps))})


class Contrast(Repeated):
    """The contrastive clustering loss (Eq. 3)."""

    weight: float = Field(ge=0)
    """lambda_clustering; the loss is a sum over pixels"""
    more_than_px: int = Field(ge=0)
    """masks of so few pixels, or fewer, are left out in views of ``pixels_of``"""
    pixels_of: Count
    """pixels that the papers' views have, about.  In smaller ones the same share of the view counts
    for too few: a hundred pixels of a small view are not clutter but an object"""
    temperature: Literal["paper", "code"]
    """as printed; or ten times that, clipped to 0.1 and 1 (code)"""


class Spatial(Repeated):
    """The spatial-similarity regularisation (Eq. 4)."""

    near_weight: float = Field(ge=0)
    """lambda_near; 0: no similarity loss"""
    far_weight: float = Field(ge=0)
    """lambda_far; 0: no dissimilarity loss"""
    samples: Count
    """M, Gaussians drawn at each use, in scenes of ``samples_of``; the paper gives none, the code
    1,000"""
    samples_of: Count
    """Gaussians that the papers' scenes have, about.  Of fewer as many are drawn as keeps their
    share, and their mean weighs as much less: each Gaussian is meant as often, and as strongly"""
    pool: Count
    """Gaussians, drawn at random, among which neighbours are searched (code)"""
    near: Count
    """K, closest Gaussians"""
    far: Count
    """L, farthest Gaussians"""
    with_itself: bool
    """the closest Gaussian is the Gaussian itself (code), which leaves one neighbour of two"""
    sigmoid_of: Literal["each", "mean"]
    """mean of sigmoids (paper), or sigmoid of the mean (code)"""


class Options(Masked):
    """Parameters of CGC."""

    dim: Count
    """length of the feature that every Gaussian holds"""
    init: Literal["uniform", "normal"]
    """what features start from: uniform in 0..1 (code) or a standard normal; the paper says no more
    than "random" """
    lr: Positive
    """learning rate of the features (code)"""
    contrast: Contrast
    """what views teach"""
    spatial: Spatial
    """what distances teach"""

    def scaled(self, steps: float, rates: float) -> Self:
        """Return the options with as many uses of the losses in fewer steps, at most one a step.

        Adam divides by the root of the mean square gradient, which is zero at all but every n-th
        step: each use moves features by sqrt(n) times the rate.  So the rate grows by the root of
        what the intervals shrink by, and features get as far as in a run of full length.
        """
        contrast, spatial = self.contrast.scaled(steps), self.spatial.scaled(steps)
        rate = self.lr * (self.contrast.every / contrast.every) ** 0.5
        return self.model_copy(update={"contrast": contrast, "spatial": spatial, "lr": rate})

    def blends(self, step: int) -> bool:
        """Tell whether a step needs the blended features."""
        return step % self.contrast.every == 0


def attach(options: Options, _: Lessons | None, features: SceneFeatures | None) -> Attachment:
    """Return a random feature per Gaussian; nothing has to be decoded."""
    assert features is not None
    if len(features.layers) != 1:
        raise SemsplatError(
            f"{features.folder}: layers {features.layers}; name a recipe that pools its masks"
        )
    return Attachment(options.dim, 1.0, options.lr, {}, decoder(), options.lr, options.init)


def decoder() -> Module:
    """Return nothing to learn: the blended features are what the method is after."""
    from torch.nn import Identity

    return Identity()


def semantic_terms(options: Options, stage: Stage) -> Terms:
    """Return lambda_clustering L_CC + L_reg (CGC, Eq. 5), each at its steps."""
    from semsplat.train.contrast import contrastive_clustering

    contrast = options.contrast

    def terms(step: int, view: Camera, blended: Tensor | None) -> dict[str, Tensor]:
        parts = {}
        if blended is not None:
            clusters = _clusters(contrast, stage, view)
            loss = contrastive_clustering(blended, clusters, contrast.temperature)
            parts["contrast"] = contrast.weight * loss
        if step % options.spatial.every == 0:
            parts |= _spatial_terms(options.spatial, stage, step)
        return parts

    return terms


def reads(options: Options, stage: Stage) -> Ahead:
    """Return what reads a view's clusters at the steps that learn from them."""

    def read(step: int, camera: Camera) -> None:
        if options.blends(step):
            _clusters(options.contrast, stage, camera)

    return read


def _clusters(contrast: Contrast, stage: Stage, camera: Camera) -> Clusters:
    """Return the masks of a view that are large enough."""
    import torch

    from semsplat.fit.views import fitted, of_view
    from semsplat.train.contrast import Clusters, clusters_of

    few = contrast.more_than_px * min(1.0, camera.width * camera.height / contrast.pixels_of)
    features = stage.features

    @cache
    def found() -> Clusters:  # counted on the CPU, where nothing waits for their number
        assert features is not None
        ids = fitted(features.ids(camera.name)[0], camera)
        return clusters_of(torch.from_numpy(ids).long(), few)

    def pairs() -> NDArray[np.int32]:
        return torch.stack([found().pixels, found().members]).int().numpy()

    pixels, members = of_view(("clusters", few), camera, pairs, stage.inputs).long()
    sizes = of_view(("sizes", few), camera, lambda: found().sizes.int().numpy(), stage.inputs)
    return Clusters(pixels, members, sizes.long())


def _spatial_terms(options: Spatial, stage: Stage, step: int) -> dict[str, Tensor]:
    """Return the terms of the regularisation that have a weight."""
    from semsplat.train.attached import SEMANTICS
    from semsplat.train.spatial import draw_sample, similarity_terms

    weights = {"near": options.near_weight, "far": options.far_weight}
    if not any(weights.values()):
        return {}
    means = stage.gaussians["means"]
    share = min(1.0, len(means) / options.samples_of)
    count = max(1, round(options.samples * share))
    # of step and seed alone, so that a resumed run draws the same Gaussians
    random = np.random.default_rng((stage.run_seed, step))
    numbers = options.pool, options.near, options.far, options.with_itself
    sample = draw_sample(means, count, *numbers, random)
    values = similarity_terms(stage.gaussians[SEMANTICS], sample, options.sigmoid_of)
    named = zip(weights.items(), values, strict=True)
    scale = count / options.samples
    return {name: scale * weight * value for (name, weight), value in named if weight}
