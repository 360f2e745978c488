"""The annotated point, an oracle: where a person who knows the object would click.

The most interior pixel of the object's true mask in the first held-out view that shows it (METHODS
3.6).  It measures the field alone, without the mistakes of finding an object by its name.
"""

from __future__ import annotations

from functools import cache

from semsplat.evaluate.grounding import Place, World, interior


def ground(world: World) -> dict[str, Place]:
    """Return the annotated point of every prompt."""
    masks = cache(world.truth.masks)  # one view is the reference of many prompts
    return {
        prompt: Place(frame.name, interior(masks(frame)[prompt]))
        for prompt, frame in world.references.items()
    }
