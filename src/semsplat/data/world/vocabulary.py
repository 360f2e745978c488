"""The words the tiny CLIP learns: classes with synonyms, colours, parts, generic words, templates.

Only these words mean anything to it; `semsplat.features.clip` refuses prompts with others.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from semsplat.data.world.builder import COLORS
from semsplat.data.world.primitives import CLASSES

# All names of parts that the procedural worlds use; positions are ids in the training pictures.
PARTS = (
    "arm", "back", "band", "base", "boards", "body", "border", "button", "canvas", "ceiling",
    "cover", "field", "frame", "handle", "leaves", "leg", "lid", "pages", "panel", "pot", "seat",
    "shade", "skirting", "stand", "tape", "top",
)  # fmt: skip
SYNONYMS = {
    "rug": ("carpet",),
    "sofa": ("couch",),
    "mug": ("cup", "coffee mug"),
    "plant": ("potted plant", "houseplant"),
    "picture": ("painting",),
    "box": ("cardboard box",),
    "cushion": ("pillow",),
    "table": ("desk",),
    "chair": ("wooden chair",),
    "lamp": ("light",),
}
STUFF = ("floor", "wall", "rug")
TEMPLATES = (
    "a photo of a {}", "a photo of the {}", "a {}", "the {}", "{}", "a {} in a room",
    "a picture showing a {}", "there is a {} in the scene",
)  # fmt: skip
ANY = -1


class Caption(NamedTuple):
    """A text and what it is true of."""

    text: str
    classes: tuple[int, ...]  # positions in CLASSES
    color: int = ANY  # position in COLORS
    part: int = ANY  # position in PARTS
    texture: bool = False  # true only of crops that show a surface without an outline
    weight: float = 1.0  # generic words describe everything, but nothing well


_THINGS = tuple(k for k, name in enumerate(CLASSES) if name not in STUFF)
_STUFF = tuple(k for k, name in enumerate(CLASSES) if name in STUFF)
_ALL = tuple(range(len(CLASSES)))
GENERIC = (
    Caption("object", _THINGS, weight=0.1),
    Caption("thing", _THINGS, weight=0.1),
    Caption("things", _THINGS, weight=0.1),
    Caption("stuff", _STUFF, weight=0.1),
    Caption("texture", _ALL, texture=True, weight=0.1),
)
GENERIC_SHARE, SYNONYM_SHARE, COLOR_SHARE, PART_SHARE = 0.12, 0.25, 0.5, 0.5


def caption(
    rng: np.random.Generator, class_id: int, color: int, part: int, texture: bool
) -> Caption:
    """Return a random true caption of a crop; ``color`` and ``part`` are `ANY` where unknown."""
    if rng.random() < GENERIC_SHARE:
        fitting = [g for g in GENERIC if class_id in g.classes and (texture or not g.texture)]
        return _templated(rng, _colored(rng, fitting[int(rng.integers(len(fitting)))], color))
    name = CLASSES[class_id]
    if name in SYNONYMS and rng.random() < SYNONYM_SHARE:
        name = SYNONYMS[name][int(rng.integers(len(SYNONYMS[name])))]
    said = _colored(rng, Caption(name, (class_id,)), color)
    if part != ANY and PARTS[part] != name and rng.random() < PART_SHARE:
        pattern = "{part} of a {whole}" if rng.random() < 0.5 else "{whole} {part}"
        text = pattern.format(part=PARTS[part], whole=said.text)
        said = said._replace(text=text, part=part)
    return _templated(rng, said)


def _colored(rng: np.random.Generator, said: Caption, color: int) -> Caption:
    """Put the colour before half of the captions of crops whose colour is known."""
    if color == ANY or rng.random() >= COLOR_SHARE:
        return said
    return said._replace(text=f"{list(COLORS)[color]} {said.text}", color=color)


def _templated(rng: np.random.Generator, said: Caption) -> Caption:
    template = TEMPLATES[int(rng.integers(len(TEMPLATES)))]
    return said._replace(text=template.format(said.text))


def trained_texts() -> Iterator[str]:
    """Yield texts that together contain every word (and every word's tokens) of the training."""
    names = [*CLASSES, *(s for several in SYNONYMS.values() for s in several)]
    phrases = [*names, *COLORS, *PARTS, *(g.text for g in GENERIC), "top of a table"]
    for template in TEMPLATES:
        for phrase in phrases:
            yield template.format(phrase)
