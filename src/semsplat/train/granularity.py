"""GAGS's loss terms (arXiv 2412.13654 v1, section 3.2), each also as the official code has it.

They compare with what a view's features say on three levels, `LevelMaps`, at the size of a step.
All are vectorised over regions: sums by region are scatter-adds.  P stands for the pixels [H, W].
"""

from __future__ import annotations

from functools import cache, partial
from typing import NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from semsplat.errors import SemsplatError
from semsplat.features.store import SceneFeatures
from semsplat.fit.views import Camera, fitted, of_view
from semsplat.train.methods import Stage
from semsplat.train.mlp import LEVELS

SMOOTHING_PX = 5  # of the levels' weights before the best one is taken (METHODS 2.3)
LOG_EPS = 1.0e-6


class LevelMaps(NamedTuple):
    """Sub-parts, parts and wholes of one view."""

    ids: Tensor  # int64 [3, H, W], rows of the table, -1 for none; levels share no row
    table: Tensor  # [R + 1, D], CLIP vectors of length 1; the last row, for none, is zeros

    @property
    def covered(self) -> Tensor:
        """Which levels have a region where, bool [3, H, W]."""
        return self.ids >= 0

    @property
    def targets(self) -> Tensor:
        """The vectors of every pixel and level, [3, H, W, D]; zeros where there is none."""
        return self.table[self.ids]  # id -1 reads the last row


def check_levels(features: SceneFeatures) -> int:
    """Return the length of the vectors of features with three levels; raise for others."""
    if len(features.layers) != LEVELS:
        raise SemsplatError(
            f"{features.folder}: layers {features.layers}; name a recipe with sub-parts, parts and"
            " wholes, and with region_vectors"
        )
    return features.text_vectors("canonical").shape[1]


def level_maps(stage: Stage, view: Camera) -> LevelMaps:
    """Return a view's levels.

    Ids are taken from the pixel nearest to each new centre.  The official code interpolates the
    vectors instead, which differs on the borders of regions alone.
    """
    assert stage.features is not None
    regions = cache(partial(stage.features.regions, view.name))  # one archive holds both

    def layers() -> NDArray[np.int16]:
        return np.stack([fitted(layer, view) for layer in regions()[0]])

    def table() -> NDArray[np.float16]:
        vectors = regions()[1]
        return np.concatenate([vectors, np.zeros((1, vectors.shape[1]), np.float16)])

    ids = of_view("levels", view, layers, stage.inputs)
    return LevelMaps(ids.long(), stage.inputs.get(("vectors", view.name), table).float())


def level_weights(factors: Tensor, covered: Tensor) -> Tensor:
    """Return alpha = softmax(eta) [H, W, 3] over the levels that cover a pixel (GAGS, Eq. 2).

    Args:
        factors: eta, [H, W, 3].
        covered: bool [3, H, W], which levels have a region there; where none has, all count.
    """
    missing = (~covered & covered.any(dim=0)).movedim(0, -1)
    return factors.masked_fill(missing, -torch.inf).softmax(dim=-1)


def fixed_weights(levels: Tensor, covered: Tensor) -> Tensor:
    """Return weights [H, W, 3] that do not learn: ``levels`` [3], shared by those that cover."""
    shares = covered.movedim(0, -1) * levels
    return shares / shares.sum(dim=-1, keepdim=True).clamp(min=LOG_EPS)


def weighted_squares(vectors: Tensor, maps: LevelMaps, weights: Tensor) -> Tensor:
    """Return sum_n alpha_n |f_clip - f_n|^2 of every pixel, [H, W] (GAGS, Eq. 3, read as a sum).

    Multiplied out, so that of the levels' vectors only their mixture is made for every pixel.

    Args:
        vectors: f_clip, [H, W, D].
        maps: f_s, f_p, f_w.
        weights: alpha, [H, W, 3].
    """
    squares = maps.table.square().sum(dim=-1)[maps.ids].movedim(0, -1)
    own = weights.sum(dim=-1) * vectors.square().sum(dim=-1)
    both = (vectors * mixture(maps, weights)).sum(dim=-1)
    return own - 2 * both + (weights * squares).sum(dim=-1)


def squared(vectors: Tensor, mixed: Tensor) -> Tensor:
    """Return |f_clip - sum_n alpha_n f_n|^2 of every pixel, [H, W] (GAGS, Eq. 3, our reading).

    vectors and mixed [H, W, D]; for the second see `mixture`.
    """
    return (vectors - mixed).square().sum(dim=-1)


def absolute(vectors: Tensor, mixed: Tensor) -> Tensor:
    """Return the mean over channels of |f_clip - sum_n alpha_n f_n|, [H, W] (the official code)."""
    return (vectors - mixed).abs().mean(dim=-1)


def mixture(maps: LevelMaps, weights: Tensor) -> Tensor:
    """Return sum_n alpha_n f_n of every pixel, [H, W, D]; weights [H, W, 3]."""
    rows = maps.ids.remainder(len(maps.table)).flatten(1).T.contiguous()  # -1: the last
    mixed = F.embedding_bag(rows, maps.table, per_sample_weights=weights.flatten(0, 1), mode="sum")
    return mixed.unflatten(0, weights.shape[:2])


def entropy(weights: Tensor) -> Tensor:
    """Return - 1/3 sum_n alpha_n log alpha_n of every pixel, [H, W] (GAGS, Eq. 4).

    Eq. 4 has no 1/3; the official code, whose lambda weighs it, takes the mean over the levels.
    """
    return -(weights * (weights + LOG_EPS).log()).mean(dim=-1)


def fused_regions(weights: Tensor, ids: Tensor) -> Tensor:
    """Return m_f, the region of every pixel in its level of highest alpha: int64 [H, W].

    The weights are smoothed by a 5x5 box over zeros first, as in the official code; of equal levels
    the finest counts.

    Args:
        weights: alpha, [H, W, 3].
        ids: int64 [3, H, W], -1 for none; levels share no id.
    """
    maps = weights.detach().movedim(-1, 0)[None]
    smooth = F.avg_pool2d(maps, SMOOTHING_PX, stride=1, padding=SMOOTHING_PX // 2)[0]
    return ids.gather(0, smooth.argmax(dim=0, keepdim=True))[0]


def region_sums(values: Tensor, regions: Tensor, n_regions: int) -> tuple[Tensor, Tensor]:
    """Return the sums [R + 1, ...] of values [H, W, ...] over regions, and the pixels of each.

    The last row is of the pixels in no region.  How many regions there may be is told: who counts
    them waits for the GPU.

    Args:
        values: [H, W, ...].
        regions: int64 [H, W], 0 to R - 1, -1 for none.
        n_regions: R.
    """
    rows = regions.flatten().remainder(n_regions + 1)
    flat = values.flatten(0, 1)
    sums = values.new_zeros(n_regions + 1, *flat.shape[1:]).index_add(0, rows, flat)
    ones = torch.ones_like(rows, dtype=values.dtype)
    return sums, values.new_zeros(n_regions + 1).index_add(0, rows, ones)


def plain_mean(losses: Tensor, counted: Tensor) -> Tensor:
    """Return the mean of losses [H, W] over the pixels ``counted``; 0 where there are none."""
    return (losses * counted).sum() / counted.sum().clamp(min=1)


def region_mean(losses: Tensor, regions: Tensor, n_regions: int) -> Tensor:
    """Return the mean of beta_r l, beta_r = sum_i S(R_i) / (n_r S(R)) (GAGS, Eq. 5).

    That is the mean over regions of each region's mean, over the pixels that have one; 0 where no
    pixel has.  losses [H, W]; for the others see `region_sums`.
    """
    return _mean_of_seen(*region_sums(losses, regions, n_regions))


def spread_of_regions(maps: Tensor, regions: Tensor, n_regions: int) -> Tensor:
    """Return 1/n_r sum_i sum_p |f_p - mean_i f|^2 / S(R_i) (GAGS, Eq. 6).

    Eq. 6 has no 1/n_r; the official code's term, whose lambda weighs it, is a mean over pixels.

    Args:
        maps: f_clip, [H, W, D].
        regions: int64 [H, W], -1 for none.
        n_regions: how many there may be.
    """
    squares, areas = _squares(maps, regions, n_regions)
    return _mean_of_seen(squares.sum(dim=-1), areas)


def spread_by_area(maps: Tensor, regions: Tensor, n_regions: int) -> Tensor:
    """Return the official code's consistency: variances weighted by area, over H x W.

    The variance of a region is unbiased and a mean over channels; regions of one pixel have none.
    Arguments as `spread_of_regions`, though the code gives it the blended features.
    """
    squares, areas = (rows[:-1] for rows in _squares(maps, regions, n_regions))
    variances = squares.mean(dim=-1) / (areas - 1).clamp(min=1)  # of one pixel: 0
    return (variances * areas).sum() / regions.numel()


def _mean_of_seen(sums: Tensor, areas: Tensor) -> Tensor:
    """Return the mean of sums / areas over the regions that have a pixel; the last row is none."""
    means = sums[:-1] / areas[:-1].clamp(min=1)
    return means.sum() / (areas[:-1] > 0).sum().clamp(min=1)


def _squares(maps: Tensor, regions: Tensor, n_regions: int) -> tuple[Tensor, Tensor]:
    """Return summed squared distances to the region's mean [R + 1, D], and areas [R + 1]."""
    sums, areas = region_sums(maps, regions, n_regions)
    means = sums / areas.clamp(min=1)[:, None]
    rows = regions.remainder(n_regions + 1)
    return region_sums((maps - means[rows]).square(), regions, n_regions)
