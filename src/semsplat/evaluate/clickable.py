"""A trained field that is clicked on, and what it selects (CGC, section 4.2)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from semsplat.conventions import NO_ID
from semsplat.data.scene import Frame, Viewpoint
from semsplat.errors import SemsplatError
from semsplat.evaluate.grounders import PERSON, grounder, with_clicks
from semsplat.evaluate.grounding import Place, World
from semsplat.evaluate.selection import DRAWN, THRESHOLD, cosine, query_features, selected
from semsplat.train.model import SemanticField

VIEWS_KEPT = 4
"""blended features of a large view fill a hundred megabytes"""


@dataclass(frozen=True, eq=False)
class Queries:
    """What one grounder asks, with the features found where it clicked."""

    places: dict[str, Place]  # of all prompts
    vectors: Tensor  # [P, D], of those that were found
    members: Tensor  # bool [P, N], Gaussians like each (Eq. 6 in 3-D)

    @property
    def found(self) -> list[str]:
        """The prompts that were found, in the order of the vectors."""
        return [prompt for prompt, place in self.places.items() if not place.missing]


@dataclass(frozen=True, eq=False)
class ClickableField:
    """A trained field, and its blended features view by view."""

    trained: SemanticField
    known: dict[str, tuple[Tensor, Tensor]] = field(default_factory=dict)

    def blended(self, frame: Viewpoint) -> tuple[Tensor, Tensor]:
        """Return a view's features [H, W, D] and alpha [H, W]; the last few are remembered."""
        if frame.name not in self.known:
            if len(self.known) == VIEWS_KEPT:
                self.known.pop(next(iter(self.known)))
            held = self.trained.semantics
            values = torch.cat([held, torch.ones_like(held[:, :1])], dim=1)
            drawn = self.trained.blend(frame, values)
            self.known[frame.name] = drawn[..., :-1], drawn[..., -1]
        return self.known[frame.name]

    def ask(self, places: dict[str, Place], frames: dict[str, Frame], strict: bool) -> Queries:
        """Return the queries at places; a place without a feature is missing, or an error."""
        answered, vectors = {}, [self.trained.semantics[:0]]
        for prompt, place in places.items():
            try:
                answered[prompt] = place
                if not place.missing:
                    vectors.append(self._feature(place, frames))
            except SemsplatError as error:
                if strict:
                    raise
                answered[prompt] = Place(missing=str(error))
        queries = torch.cat(vectors)
        members = selected(cosine(self.trained.semantics, queries), THRESHOLD)
        return Queries(answered, queries, members)

    def _feature(self, place: Place, frames: dict[str, Frame]) -> Tensor:
        """Return the feature [1, D] at a place."""
        if place.view not in frames:
            raise SemsplatError(f"click: the scene has no view '{place.view}'; name one it has")
        features, alpha = self.blended(frames[place.view])
        return query_features(features, alpha, [place.pixel], place.view)


def ask_all(world: World, clicked: ClickableField) -> dict[str, Queries]:
    """Return what every grounder asks."""
    frames = {frame.name: frame for frame in world.scene.frames}
    return {
        name: clicked.ask(grounder(name).ground(world), frames, strict=name == PERSON)
        for name in with_clicks(world.run.grounders)
    }


@torch.no_grad()
def select_in(
    clicked: ClickableField, frame: Frame, asked: Queries, prompts: list[str]
) -> dict[str, NDArray[Any]]:
    """Return the arrays of one grounder in one view; ``prompts`` are asked of what was found."""
    features, alpha = clicked.blended(frame)
    cosines = cosine(features, asked.vectors)  # [P, H, W]
    rows = [asked.found.index(prompt) for prompt in prompts]
    shares = clicked.trained.blend(frame, asked.members[rows].T.float().contiguous())
    nothing = torch.full_like(alpha, NO_ID, dtype=torch.int16)
    drawn = (alpha >= DRAWN) & bool(asked.found)
    best = cosines.argmax(dim=0).short() if asked.found else nothing
    return {
        "prompts": np.array(prompts, dtype=np.str_),
        "masks": selected(cosines[rows], THRESHOLD).cpu().numpy(),
        "gaussians": (shares > DRAWN).movedim(-1, 0).cpu().numpy(),
        "scene_prompts": np.array(asked.found, dtype=np.str_),
        "classes": torch.where(drawn, best, nothing).cpu().numpy(),
    }
