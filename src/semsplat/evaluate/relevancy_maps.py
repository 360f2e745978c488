"""Relevancy maps on disk: ``predictions/relevancy/{frame}.npz``.

``prompts`` text [P]; ``relevancy`` float16 [P, L, H, W] in [0, 1]; optionally ``factors`` float16
[3, H, W], the weights of the granularities, and ``silhouettes`` float16 [P, H, W] in [0, 1], the
opacity of the Gaussians that each prompt chooses, drawn alone.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from semsplat.arrays import read_arrays
from semsplat.data.scene import Frame
from semsplat.errors import SemsplatError
from semsplat.paths import RELEVANCY

Maps = NDArray[np.float16]
SILHOUETTES = "silhouettes"


def read_relevancy(predictions_dir: Path, frame: Frame) -> dict[str, Maps]:
    """Return {prompt: relevancy float16 [L, H, W] in [0, 1]}; nothing where there is no file.

    Raises a one-line `SemsplatError` for an unreadable file, maps of another size, prompts that
    stand twice and values that are no relevancy.
    """
    path = predictions_dir / RELEVANCY / f"{frame.name}.npz"
    if not path.is_file():
        return {}
    arrays = read_arrays(path)
    if not {"prompts", "relevancy"} <= set(arrays):
        raise SemsplatError(f"{path}: needs 'prompts' and 'relevancy'; predict again")
    prompts, maps = arrays["prompts"].tolist(), arrays["relevancy"]
    check_relevancy(path, prompts, maps, frame)
    return dict(zip(prompts, maps, strict=True))


def read_silhouettes(predictions_dir: Path, frame: Frame) -> dict[str, Maps] | None:
    """Return {prompt: opacity float16 [H, W] in [0, 1]}; None where the view has none.

    Raises a one-line `SemsplatError` as `read_relevancy` does.
    """
    path = predictions_dir / RELEVANCY / f"{frame.name}.npz"
    arrays = read_arrays(path, only=("prompts", SILHOUETTES)) if path.is_file() else {}
    if SILHOUETTES not in arrays:
        return None
    prompts, maps = arrays["prompts"].tolist(), arrays[SILHOUETTES]
    check_relevancy(path, prompts, maps[:, None], frame)
    return dict(zip(prompts, maps, strict=True))


def check_relevancy(path: Path, prompts: list[str], maps: NDArray[Any], frame: Frame) -> None:
    """Raise unless there is one map per prompt, of the frame's size and in [0, 1].

    Args:
        path: what the message starts with.
        prompts: P strings.
        maps: floats [P, L, H, W].
        frame: the view.
    """
    if maps.ndim != 4 or len(maps) != len(prompts) or maps.shape[1] < 1:
        raise SemsplatError(f"{path}: {len(prompts)} prompts, relevancy {list(maps.shape)}")
    if maps.shape[2:] != (frame.height, frame.width):
        raise SemsplatError(
            f"{path}: {maps.shape[3]}x{maps.shape[2]} pixels, but the frame has"
            f" {frame.width}x{frame.height}; predict at the frame's size"
        )
    if len(set(prompts)) < len(prompts):
        raise SemsplatError(f"{path}: a prompt stands twice; predict again")
    if not ((maps >= 0) & (maps <= 1)).all():
        raise SemsplatError(f"{path}: relevancy must be in 0..1 and not NaN; predict again")
