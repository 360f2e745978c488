"""The scene's own instances as tracks: true shapes and identities, whatever the regions are.

A tracker that segments by itself, as CLIP-GS's does, has shapes other than the regions that a
segmenter finds in each view.  This is the best such a tracker could do; it is ground truth.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from semsplat.data.scene import Frame, load_ids
from semsplat.errors import SemsplatError
from semsplat.features.teachers import Ids, reads_nothing
from semsplat.features.tracks import ignores_geometry
from semsplat.params.base import Strict


class Options(Strict):
    """Nothing to choose."""


folders = models = reads_nothing
needs_geometry = ignores_geometry


def declares_truth(_: Options) -> bool:
    """Tell that tracks are the scene's instances."""
    return True


def track(
    frames: tuple[Frame, ...],
    regions: Callable[[Frame], Ids],
    options: Options,
    depths: Any,
    device: str,
) -> Iterator[Ids]:
    """Yield the instance ids int32 [H, W] of every view, -1 for none."""
    for frame in frames:
        if frame.instances_path is None:
            raise SemsplatError(f"view '{frame.name}' has no instances; take other tracks")
        yield (load_ids(frame.instances_path, frame) - 1).astype(np.int32)
