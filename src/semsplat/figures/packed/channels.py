"""What Gaussians answer, each alone, as channels of a page's scene."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from numpy.typing import NDArray

from semsplat.data.annotations import load_annotations
from semsplat.data.scene import Scene
from semsplat.errors import SemsplatError

if TYPE_CHECKING:
    from semsplat.features.queries import Texts
    from semsplat.train.model import SemanticField

ALONE = "Every Gaussian is asked alone, where a picture decodes what many blend to."
GROUPS = ("colours", "true classes", "classes", "features", "relevancy", "selected")
"""In which order they are offered."""


class Channel(NamedTuple):
    """One thing to show."""

    group: str
    whose: str
    kind: str
    """rgb, classes, relevancy or selected"""
    values: NDArray[Any]
    """of all Gaussians: colours uint8 [N, 3], class ids [N], relevancy [N] in 0..1, or bool [N]"""
    asked: str = ""
    note: str = ALONE


class Asked(NamedTuple):
    """What a scene's fields are asked."""

    scene: Scene
    texts: Texts
    prompts: list[str]
    grounder: str


def prompts_of(scene: Scene, count: int) -> list[str]:
    """Return up to ``count`` prompts in alphabetical order, those that most held-out views name."""
    named = Counter(
        prompt
        for frame in scene.test
        if frame.annotations_path
        for prompt in load_annotations(frame)
    )
    return sorted(sorted(named, key=lambda prompt: (-named[prompt], prompt))[:count])


def channels_of(
    field: SemanticField, whose: str, asked: Asked, predictions_dir: Path
) -> Iterator[Channel]:
    """Yield what a field answers: its numbers as colours, and what its method is asked for."""
    from semsplat.train.methods import method

    answers = method(field.facts.method).ANSWERS
    yield _features(field, whose)
    if "classes" in answers:
        from semsplat.evaluate.gaussians import classes_of

        yield Channel("classes", whose, "classes", classes_of(field))
    if "relevancy" in answers and asked.prompts:
        yield from _relevancies(field, whose, asked)
    if "similarity" in answers:
        yield from _selections(field, whose, asked, predictions_dir)


def _features(field: SemanticField, whose: str) -> Channel:
    """Return the numbers of Gaussians as colours, as `Palette` makes them of views."""
    import torch

    from semsplat.evaluate.write_selections import Palette

    drawn = torch.ones(1, len(field.semantics))
    colours = Palette(field.semantics).picture(field.semantics[None], drawn)[0]
    note = "Three principal axes of each Gaussian's numbers; other trainings have other axes."
    return Channel("features", whose, "rgb", colours, note=note)


def _relevancies(field: SemanticField, whose: str, asked: Asked) -> Iterator[Channel]:
    """Yield how relevant Gaussians are to every prompt."""
    from semsplat.evaluate.gaussians import relevancy_of

    note = f"{ALONE} Of several levels the one that is most relevant counts."
    queries, canonical = asked.texts.encode(asked.prompts), asked.texts.canonical
    if (known := field.facts.shape.get("out")) != queries.shape[1]:
        raise SemsplatError(
            f"{whose}: learned of vectors of {known} numbers, prompts have {queries.shape[1]};"
            " name a recipe with the same CLIP"
        )
    for prompt, values in zip(asked.prompts, relevancy_of(field, queries, canonical), strict=True):
        yield Channel("relevancy", whose, "relevancy", values.cpu().numpy(), prompt, note)


def _selections(
    field: SemanticField, whose: str, asked: Asked, predictions_dir: Path
) -> Iterator[Channel]:
    """Yield what every click of the grounder selects (CGC, Eq. 6 in 3-D)."""
    from semsplat.evaluate.clickable import ClickableField
    from semsplat.evaluate.grounding import Place
    from semsplat.evaluate.selections import read_places

    clicked = read_places(predictions_dir, asked.scene).get(asked.grounder, {})
    places = {
        prompt: Place(clicked[prompt].view, clicked[prompt].pixel) for prompt in sorted(clicked)
    }
    frames = {frame.name: frame for frame in asked.scene.frames}
    queries = ClickableField(field).ask(places, frames, strict=False)
    for prompt, members in zip(queries.found, queries.members, strict=True):
        view, (x, y) = places[prompt].view, places[prompt].pixel
        note = f"Gaussians alike to pixel ({x}, {y}) of view {view}, which was clicked. {ALONE}"
        yield Channel("selected", whose, "selected", members.cpu().numpy(), prompt, note)
