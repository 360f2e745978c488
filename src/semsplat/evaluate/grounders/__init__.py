"""Where to click for a prompt, one grounder per file: file name = its name in scores.

Each file has ``ground(world)``, which returns a `Place` for every prompt.  One whose places have
masks says so by ``GIVES_MASKS = True``; the answer "masks" asks these alone.
"""

from __future__ import annotations

from semsplat.discovery import kinds_of

PERSON = "clicks"
"""The grounder of the user's own clicks: a wrong one is an error, and there is no truth to them."""


grounder_names, grounder = kinds_of(__name__, "grounder", ("ground",))


def askable_names() -> list[str]:
    """Return the names of the grounders that params.yaml may ask: all but the person's clicks."""
    return [name for name in grounder_names() if name != PERSON]


def gives_masks(name: str) -> bool:
    """Tell whether a grounder's places have masks; opens its file."""
    return getattr(grounder(name), "GIVES_MASKS", False)


def with_clicks(names: list[str]) -> list[str]:
    """Return the grounders that are asked, in order: the person's clicks always are."""
    return sorted([PERSON, *names])
