"""Objects by a click: what has a feature like that of one pixel (CGC, sections 4.2.1 and 4.2.2).

Contrastive Gaussian Clustering, arXiv 2404.12784.  The feature rendered at a pixel is the query;
pixels of any view, and Gaussians, belong to the object if their cosine to it is large enough.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn.functional import normalize

from semsplat.errors import SemsplatError

THRESHOLD = 0.7  # CGC, section 4.2.1: "empirically"

DRAWN = 0.5
"""The blended alpha from which a pixel is drawn: below, most of what it shows is the background.

Ours.  A feature is blended over zeros, so that its direction, and with it every cosine, is the same
however little is drawn: a click on empty background would select by stray Gaussians.
"""


def cosine(features: Tensor, queries: Tensor) -> Tensor:
    """Return the cosines S_C of CGC's Eq. 6, [P, ...] float32 in [-1, 1].

    A feature or query of zeros has cosine 0 to everything, and one that is NaN has cosine NaN,
    which selects nothing.

    Args:
        features: [..., D]: a rendered map [H, W, D], or those of Gaussians [N, D].
        queries: [P, D].
    """
    units = normalize(features.float(), dim=-1)
    return torch.einsum("...d,pd->p...", units, normalize(queries.float(), dim=-1))


def selected(cosines: Tensor, threshold: float) -> Tensor:
    """Return CGC's Eq. 6, bool like the cosines: where they are at least the threshold.

    The text says "greater", the equation has an equals sign; the equation holds.  Compared in
    single precision, in which the cosines are: one that rounds to the threshold reaches it.
    """
    return cosines.float() >= torch.tensor(threshold, dtype=torch.float32, device=cosines.device)


def query_features(
    feature_map: Tensor,  # [H, W, D]
    alpha: Tensor,  # [H, W] in [0, 1], blended
    pixels: Sequence[tuple[int, int]],  # (x, y), P of them
    view: str,
) -> Tensor:
    """Return the rendered features at pixels of one view, [P, D].

    Raises:
        SemsplatError: a pixel is outside the picture, on what is not drawn (`DRAWN`), or its
            feature is NaN or infinite; one line that names pixel and view.
    """
    for pixel in pixels:
        _check(feature_map, alpha, pixel, view)
    columns, rows = torch.tensor(pixels, dtype=torch.long).reshape(-1, 2).T.to(feature_map.device)
    return feature_map[rows, columns]


def _check(feature_map: Tensor, alpha: Tensor, pixel: tuple[int, int], view: str) -> None:
    """Raise unless a pixel (x, y) shows something that has a feature."""
    (x, y), (height, width) = pixel, alpha.shape
    where = f"pixel ({x}, {y}) of view '{view}'"
    if not (0 <= x < width and 0 <= y < height):
        raise SemsplatError(f"{where}: outside the picture of {width}x{height}; click inside")
    if not alpha[y, x] >= DRAWN:
        raise SemsplatError(
            f"{where}: nothing is drawn there (alpha {float(alpha[y, x]):.2f} < {DRAWN});"
            " click on an object"
        )
    if not torch.isfinite(feature_map[y, x]).all():
        raise SemsplatError(f"{where}: its feature is not a number; train the field again")
