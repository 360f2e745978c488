"""Any tracker's id maps from disk (DEVA's, SAM 2's): one PNG per training view."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from semsplat.data.images import read_coded_ids
from semsplat.data.scene import Frame
from semsplat.features.teachers import Ids, declares_no_truth, reads_nothing
from semsplat.features.tracks import ignores_geometry
from semsplat.params.base import Strict


class Options(Strict):
    """Where the maps lie."""

    folder: str
    """one PNG of ids per view, named as the view; one channel, a palette, or colours as DEVA writes
    them (r + 256 g + 65536 b); 0 = none"""


def folders(options: Options) -> list[str]:
    """Return the folder that is read."""
    return [options.folder]


models = reads_nothing
needs_geometry = ignores_geometry
declares_truth = declares_no_truth


def track(
    frames: tuple[Frame, ...],
    regions: Callable[[Frame], Ids],
    options: Options,
    depths: Any,
    device: str,
) -> Iterator[Ids]:
    """Yield the stored ids int32 [H, W] of every view, -1 for none, whatever regions there are."""
    for frame in frames:
        path = Path(options.folder) / f"{frame.name}.png"
        yield (read_coded_ids(path, (frame.width, frame.height)) - 1).astype(np.int32)
