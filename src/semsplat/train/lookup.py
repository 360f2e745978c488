"""A scene's table of vectors, and Gaussians that name its rows (GOI, Qu et al., ACM MM 2024)."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from sklearn.cluster import KMeans
from torch import Tensor, nn

from semsplat.train.linear import Linear
from semsplat.train.parts import in_parts

Vectors = NDArray[np.float32]


class Lookup(nn.Module):
    """The table, and the linear head that makes scores of its rows of blended numbers."""

    asking: Tensor

    def __init__(self, dim: int, entries: int, out: int) -> None:
        """Hold room for ``table`` [E, D]; the head's weights start as Xavier's.

        ``asking`` [5]: how a prompt is asked, see `semsplat.train.methods.goi.Query`.
        """
        super().__init__()
        self.head = Linear(dim, entries)
        nn.init.xavier_uniform_(self.head.weight)
        self.table = nn.Parameter(torch.zeros(entries, out))
        self.register_buffer("asking", torch.zeros(5, dtype=torch.float64))

    def forward(self, blended: Tensor) -> Tensor:
        """Return scores [..., E] of [..., dim]."""
        scores: Tensor = self.head(blended)
        return scores


def start_of_table(
    views: Iterable[Vectors], per_view: int, entries: int, iterations: int, seed: int
) -> Vectors:
    """Return the rows that a table starts from, of length 1: clusters of clusters of views.

    Spherical k-means of the distinct vectors of every view, then of all of these clusters together;
    as many rows as there are clusters, where these are fewer than wanted.

    Args:
        views: unit vectors [P, D] of each view.
        per_view: clusters of a view's distinct vectors.
        entries: rows wanted.
        iterations: of k-means.
        seed: of its random starts.
    """
    several = [spherical_means(np.unique(v, axis=0), per_view, iterations, seed) for v in views]
    return spherical_means(np.concatenate(several), entries, iterations, seed)


def spherical_means(vectors: Vectors, count: int, iterations: int, seed: int) -> Vectors:
    """Return at most ``count`` unit vectors [C, D] amid unit vectors [P, D].

    On unit vectors the closest centre of length 1 is the most similar one; scikit-learn's centres
    are brought to length 1 when it has ended.
    """
    if len(vectors) <= count:
        return vectors
    means = KMeans(count, init="random", n_init=1, max_iter=iterations, random_state=seed)
    centres = means.fit(vectors).cluster_centers_
    lengths = np.linalg.norm(centres, axis=1, keepdims=True)
    return (centres / np.maximum(lengths, np.finfo(np.float32).tiny)).astype(np.float32)


def lookup_terms_of_view(
    scores: Tensor, vectors: Tensor, table: Tensor, temperature: float
) -> dict[str, Tensor]:
    """Return `lookup_terms`; of a GPU's view as the mean over parts of it, see `in_parts`."""
    if not scores.is_cuda:
        return lookup_terms(scores, vectors, table, temperature)
    names: list[str] = []

    def of_part(some: Tensor, of: Tensor) -> Tensor:
        found = lookup_terms(some, of, table, temperature)
        names[:] = found
        return torch.stack(list(found.values()))[None] * (len(some) / len(scores))

    return dict(zip(names, in_parts(of_part, scores, vectors).sum(dim=0), strict=True))


def lookup_terms(
    scores: Tensor, vectors: Tensor, table: Tensor, temperature: float
) -> dict[str, Tensor]:
    """Return the four terms of GOI's loss, without weights (train.py).

    A pixel's label is the row of the table that is most similar to its vector; no gradient flows
    through the choice.  ``head``: mean square of softmax(scores) - one-hot label over pixels and
    rows.  ``closest``: 1 - mean similarity to that row.  ``entropy``: mean entropy, in nats, of
    softmax(t similarity).  ``chosen``: 1 - mean cosine to the row that the head names, which moves
    the table alone.

    Args:
        scores: [P, E], of the rows, by the head.
        vectors: [P, D], of length 1.
        table: [E, D], rows of any length.
        temperature: t.
    """
    rows = F.normalize(table, dim=-1)
    similar = vectors @ rows.T
    closest, labels = similar.max(dim=-1)
    wanted = torch.zeros_like(scores).scatter(-1, labels[:, None], 1.0)
    logs = (temperature * similar).log_softmax(dim=-1)
    named = rows[scores.argmax(dim=-1)]
    return {
        "head": F.mse_loss(scores.softmax(dim=-1), wanted),
        "closest": 1 - closest.mean(),
        "entropy": -(logs.exp() * logs).sum(dim=-1).mean(),
        "chosen": 1 - (named * vectors).sum(dim=-1).mean(),
    }
