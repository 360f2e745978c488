"""The most relevant region of a reference view: text to mask to pixel with CLIP and SAM alone.

It stands where the paper has Grounding DINO and SAM (CGC, section 4.2.2).  The reference is the
first held-out view that shows what the prompt asks for; of the truth only the names of what views
show is read.
"""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from semsplat.conventions import NO_ID
from semsplat.evaluate.boundary import Mask
from semsplat.evaluate.grounding import Place, World, interior
from semsplat.evaluate.relevancy import relevancy
from semsplat.features.queries import Texts
from semsplat.features.store import Half

GIVES_MASKS = True


def ground(world: World) -> dict[str, Place]:
    """Return every prompt's region, and the most interior pixel of it."""
    regions = cache(world.features.regions)  # one view is the reference of many prompts
    return {
        prompt: _place(world.texts, prompt, frame.name, *regions(frame.name))
        for prompt, frame in world.references.items()
    }


def _place(texts: Texts, prompt: str, view: str, ids: NDArray[np.int16], vectors: Half) -> Place:
    """Return the place of one prompt."""
    region = most_relevant(texts, prompt, ids, vectors)
    if region is None:
        return Place(missing=f"view '{view}' has no region")
    return Place(view, interior(region.mask), mask=region.mask)


class Region(NamedTuple):
    """A region of a view."""

    relevancy: float  # in [0, 1]
    mask: Mask  # [H, W]


def most_relevant(
    texts: Texts, prompt: str, ids: NDArray[np.int16], vectors: Half
) -> Region | None:
    """Return a view's region that is most relevant to a prompt, the first of equal ones.

    Args:
        texts: what encodes prompts.
        prompt: what is asked for.
        ids: [L, H, W], of the view.
        vectors: [M, D], of its regions.

    Returns:
        None where the view has no region.
    """
    seen = np.unique(ids[ids != NO_ID])  # others are painted over
    if len(seen) == 0:
        return None
    features = torch.from_numpy(vectors[seen]).float().to(texts.canonical)
    closeness = relevancy(features, texts.encode([prompt])[0], texts.canonical)
    best = int(closeness.argmax())
    return Region(float(closeness[best]), (ids == seen[best]).any(axis=0))
