"""A person's own clicks, as ``evaluate.clicks`` of ``params.yaml`` names them."""

from __future__ import annotations

from semsplat.evaluate.grounding import Place, World


def ground(world: World) -> dict[str, Place]:
    """Return the clicks of the scene."""
    return {
        name: Place(click.view, (click.pixel[0], click.pixel[1]))
        for name, click in world.run.clicks.items()
    }
