"""Association by SAM 2: the regions of a view are prompts, followed through the next views.

It stands for DEVA, CLIP-GS's learned tracker (section 3.3; METHODS 0.5): every few views the view's
own regions are compared with what has been followed so far, and what is new starts a track.  A
track that is lost in between is not found again; its region starts a new one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Annotated, Any

import numpy as np
from pydantic import Field, field_validator

from semsplat.data.scene import Frame
from semsplat.features.teachers import Ids, declares_no_truth, reads_nothing
from semsplat.features.tracks import ignores_geometry
from semsplat.params.base import Count, Strict
from semsplat.params.hub import HubModel

Follow = Callable[[tuple[Frame, ...], Ids], Iterator[Ids]]


class Options(Strict):
    """The model, and when a region is new."""

    model: HubModel
    """a Sam2VideoModel, such as facebook/sam2.1-hiera-large"""
    detect_every: Count
    """views from one comparison with a view's own regions to the next; DEVA: 5"""
    max_covered: Annotated[float, Field(gt=0, le=1)]
    """a region starts a track if less of its pixels is on known tracks; 0.5: unless most of it has
    a name, as DEVA takes two segments for one from an IoU of 0.5 on"""
    max_objects: Count
    """followed at once, the largest; DEVA: 200"""

    @field_validator("model")
    @classmethod
    def _computes_in_its_memorys_type(cls, model: HubModel) -> HubModel:
        if model.precision == "float16":
            raise ValueError("SAM 2's memory is bfloat16, which float16 does not join: bfloat16")
        return model


folders = reads_nothing
needs_geometry = ignores_geometry
declares_truth = declares_no_truth


def models(options: Options) -> list[HubModel]:
    """Return the model."""
    return [options.model]


def track(
    frames: tuple[Frame, ...],
    regions: Callable[[Frame], Ids],
    options: Options,
    depths: Any,
    device: str,
) -> Iterator[Ids]:
    """Yield the track ids int32 [H, W] of every view in order, -1 for none.

    Raises a one-line `SemsplatError` for a model that is missing or another one.
    """
    from semsplat.features.sam2 import Follower

    return follow_windows(frames, regions, options, Follower(options.model, device))


def follow_windows(
    frames: tuple[Frame, ...],
    regions: Callable[[Frame], Ids],
    options: Options,
    follow: Follow,
) -> Iterator[Ids]:
    """Yield the track ids of every view, window by window.

    A window reaches to the first view of the next one, where its tracks are the known ones: what
    must be remembered does not grow with the number of views.

    Args:
        frames: the views in order.
        regions: gives a view's own regions int32 [H, W], -1 for none.
        options: the lengths and limits.
        follow: takes the views of a window and the ids in its first; yields those of the others.
    """
    n_tracks, known = 0, None
    for start in range(0, len(frames), options.detect_every):
        window = frames[start : start + options.detect_every + 1]
        own = regions(window[0])
        if known is None:
            known = np.full_like(own, -1)
        ids = with_new_tracks(known, own, n_tracks, options)
        n_tracks = max(n_tracks, int(ids.max()) + 1)
        yield ids
        for place, known in enumerate(follow(window, ids), 1):
            if place < options.detect_every:
                yield known


def with_new_tracks(known: Ids, own: Ids, n_tracks: int, options: Options) -> Ids:
    """Return the known tracks of a view, and new ones where its regions are none of them.

    Known tracks keep their pixels; of all, the ``max_objects`` largest remain.

    Args:
        known: int32 [H, W] tracks that reach this view, -1 for none.
        own: int32 [H, W] the view's regions, -1 for none.
        n_tracks: the first free id; new tracks are numbered from there in the order of the regions.
        options: the limits.
    """
    areas = np.bincount(own[own >= 0])
    covered = np.bincount(own[(own >= 0) & (known >= 0)], minlength=len(areas))
    new = np.append(covered < options.max_covered * areas, False)  # id -1 reads the last
    merged = np.where(known >= 0, known, np.where(new[own], n_tracks + own, -1)).astype(np.int32)
    ids, areas = np.unique(merged[merged >= 0], return_counts=True)
    kept = np.sort(ids[np.argsort(-areas, kind="stable")[: options.max_objects]])
    names = np.full(int(merged.max()) + 2, -1, np.int32)
    names[kept] = kept
    fresh = kept[kept >= n_tracks]
    names[fresh] = n_tracks + np.arange(len(fresh))
    return names[merged]
