"""The most relevant region of a reference view: text to mask to pixel with CLIP and SAM alone.

It stands where the paper has Grounding DINO and SAM (CGC, section 4.2.2).  The reference is the
first held-out view that shows what the prompt asks for; of the truth only the names of what views
show is read.
"""

from __future__ import annotations

import torch

from semsplat.data.scene import Frame
from semsplat.evaluate.grounding import Place, World, interior
from semsplat.evaluate.relevancy import relevancy


def ground(world: World) -> dict[str, Place]:
    """Return the most interior pixel of every prompt's region."""
    return {prompt: _place(world, prompt, frame) for prompt, frame in world.references.items()}


def _place(world: World, prompt: str, frame: Frame) -> Place:
    """Return the place of one prompt; of equally relevant regions the first."""
    ids, vectors = world.features.regions(frame.name)
    seen = [row for row in range(len(vectors)) if (ids == row).any()]  # others are painted over
    if not seen:
        return Place(missing=f"view '{frame.name}' has no region")
    texts = world.texts
    found = torch.from_numpy(vectors[seen]).float().to(texts.canonical)
    closeness = relevancy(found, texts.encode([prompt])[0], texts.canonical)
    best = seen[int(closeness.argmax())]
    return Place(frame.name, interior((ids == best).any(axis=0)))
