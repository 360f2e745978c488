"""The most relevant region of a reference view: text to mask to pixel with CLIP and SAM alone.

It stands where the paper has Grounding DINO and SAM (CGC, section 4.2.2).  The reference is the
first held-out view that shows what the prompt asks for; of the truth only the names of what views
show is read.
"""

from __future__ import annotations

from functools import cache

import numpy as np
import torch
from numpy.typing import NDArray

from semsplat.conventions import NO_ID
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
    """Return the place of one prompt; of equally relevant regions the first."""
    seen = np.unique(ids[ids != NO_ID])  # others are painted over
    if len(seen) == 0:
        return Place(missing=f"view '{view}' has no region")
    features = torch.from_numpy(vectors[seen]).float().to(texts.canonical)
    closeness = relevancy(features, texts.encode([prompt])[0], texts.canonical)
    best = seen[int(closeness.argmax())]
    mask = (ids == best).any(axis=0)
    return Place(view, interior(mask), mask=mask)
