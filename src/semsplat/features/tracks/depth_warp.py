"""Association by geometry: a region is the one it falls on in the view before, seen through depth.

It stands in for CLIP-GS's learned tracker (section 3.3; METHODS 1.3) wherever there is depth.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from semsplat.data.depth import shared_pixels
from semsplat.data.scene import Frame
from semsplat.features.teachers import Ids, declares_no_truth, reads_nothing
from semsplat.params.base import Fraction, Positive, Strict


class Options(Strict):
    """When two regions are one."""

    depth: Literal["rendered", "given"]
    """of the RGB-only Gaussians of the same seed, or the scene's own depth maps"""
    tolerance: Positive
    """relative difference of depth up to which two pixels show the same surface"""
    min_iou: Fraction
    """IoU over the pixels that both views see, from which on two regions are one"""


class Seen(NamedTuple):
    """A view that has been tracked."""

    frame: Frame
    depth: NDArray[np.float32]  # [H, W]
    tracks: Ids  # [H, W]


folders = models = reads_nothing
declares_truth = declares_no_truth


def needs_geometry(options: Options) -> bool:
    """Tell whether depth is rendered from the geometry run."""
    return options.depth == "rendered"


def track(
    frames: tuple[Frame, ...],
    regions: Callable[[Frame], Ids],
    options: Options,
    depths: Callable[[Frame], NDArray[np.float32]],
    device: str,
) -> Iterator[Ids]:
    """Yield the track ids int32 [H, W] of every view in order, -1 for none.

    The first view's regions start the tracks; every later view's take over the ids of the view
    before where `matched` says so, and start new tracks elsewhere.
    """
    before: Seen | None = None
    n_tracks = 0
    for frame in frames:
        own, depth = regions(frame), depths(frame)
        names = np.full(int(own.max()) + 1, -1, np.int32)
        if before is not None:
            names = matched(own, Seen(frame, depth, own), before, options)
        fresh = np.setdiff1d(np.unique(own[own >= 0]), np.flatnonzero(names >= 0))
        names[fresh] = n_tracks + np.arange(len(fresh))
        n_tracks += len(fresh)
        before = Seen(frame, depth, np.append(names, np.int32(-1))[own])  # id -1 reads the last
        yield before.tracks


def matched(own: Ids, now: Seen, before: Seen, options: Options) -> NDArray[np.int32]:
    """Return the track id of every region of a view, int32 [R], -1 where it has none before.

    The assignment, one to one, has the largest sum of IoUs (SciPy); pairs below ``min_iou`` are
    dropped.  IoUs count the pixels whose surface both views see.
    """
    from scipy.optimize import linear_sum_assignment

    names = np.full(int(own.max()) + 1, -1, np.int32)
    here, there = shared_pixels(now.frame, now.depth, before.frame, before.depth, options.tolerance)
    iou, tracks = pairwise_iou(own.reshape(-1)[here], before.tracks.reshape(-1)[there], len(names))
    rows, columns = linear_sum_assignment(iou, maximize=True)
    good = iou[rows, columns] >= max(options.min_iou, np.finfo(np.float64).tiny)
    names[rows[good]] = tracks[columns[good]]
    return names


def pairwise_iou(
    regions: NDArray[np.int32], tracks: NDArray[np.int32], n_regions: int
) -> tuple[NDArray[np.float64], NDArray[np.int32]]:
    """Return the IoU [R, T] of every region with every track, and the T tracks.

    Args:
        regions: int32 [P], the region of each shared pixel, -1 for none.
        tracks: int32 [P], the track of the same pixel in the other view, -1 for none.
        n_regions: R.
    """
    known, column = np.unique(tracks, return_inverse=True)
    counts = np.zeros((n_regions + 1, len(known)))
    np.add.at(counts, (regions, column), 1)  # row -1 counts pixels in no region
    totals = counts.sum(axis=0)
    inside, areas = counts[:-1], counts[:-1].sum(axis=1, keepdims=True)
    union = areas + totals - inside
    iou = np.divide(inside, union, out=np.zeros_like(inside), where=union > 0)
    valid = known >= 0
    return iou[:, valid], known[valid].astype(np.int32)
