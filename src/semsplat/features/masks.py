"""Candidate masks as all segmenters return them, and their compact form."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class Masks:
    """The masks of one layer of one view, in the segmenter's order.

    ``masks`` bool [N, H, W]; ``scores`` float32 [N] in [0, 1]: predicted IoU x stability, or 1
    where a segmenter has no opinion.
    """

    masks: NDArray[np.bool_]
    scores: NDArray[np.float32]

    def __len__(self) -> int:
        """Return the number of masks."""
        return len(self.scores)

    @property
    def areas(self) -> NDArray[np.int64]:
        """Pixels of each mask, int64 [N]."""
        return self.masks.sum((1, 2), dtype=np.int64)

    def select(self, index: NDArray) -> Masks:
        """Return the masks at an index array or a boolean selection, in its order."""
        return Masks(self.masks[index], self.scores[index])

    def packed(self) -> dict[str, NDArray]:
        """Return bits, scores and shape as small arrays for an archive."""
        shape = np.array(self.masks.shape, np.int32)
        bits = np.packbits(self.masks, axis=None)
        return {"bits": bits, "scores": self.scores, "shape": shape}


def no_masks(height: int, width: int) -> Masks:
    """Return an empty layer."""
    return Masks(np.zeros((0, height, width), bool), np.zeros(0, np.float32))


def unpacked(arrays: dict[str, NDArray]) -> Masks:
    """Return what `Masks.packed` packed."""
    count, height, width = (int(n) for n in arrays["shape"])
    bits = np.unpackbits(arrays["bits"], count=count * height * width)
    return Masks(bits.reshape(count, height, width).astype(bool), arrays["scores"])


def pooled(several: Iterable[Masks]) -> Masks:
    """Return the masks of several layers as one, in their order."""
    several = list(several)
    masks, scores = [m.masks for m in several], [m.scores for m in several]
    return Masks(np.concatenate(masks), np.concatenate(scores))
