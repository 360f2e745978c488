"""Any tracker's id maps from disk (DEVA's, SAM 2's): one PNG per training view."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from semsplat.features.teachers import Ids
from semsplat.params.base import Strict
from semsplat.params.hub import HubModel

if TYPE_CHECKING:
    from semsplat.data.scene import Frame


class Options(Strict):
    """Where the maps lie."""

    folder: str
    """one PNG of integer ids per view, named as the view; 0 = none"""


def folders(options: Options) -> list[str]:
    """Return the folder that is read."""
    return [options.folder]


def models(_: Options) -> list[HubModel]:
    """Return no models."""
    return []


def needs_geometry(_: Options) -> bool:
    """Tell that no depth is needed."""
    return False


def track(
    frames: tuple[Frame, ...],
    regions: Callable[[Frame], Ids],
    options: Options,
    depths: Any,
    device: str,
) -> Iterator[Ids]:
    """Yield the stored ids int32 [H, W] of every view, -1 for none, whatever regions there are."""
    from semsplat.data.scene import load_ids

    for frame in frames:
        yield (load_ids(Path(options.folder) / f"{frame.name}.png", frame) - 1).astype(np.int32)
