"""Whatever a field answers from a camera, as a picture."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal, get_args

import numpy as np
from matplotlib import colormaps
from numpy.typing import NDArray

from semsplat.data.scene import Viewpoint
from semsplat.errors import SemsplatError
from semsplat.evaluate.clickable import ClickableField
from semsplat.evaluate.write_selections import Palette
from semsplat.field.field import Field
from semsplat.field.selection import Selection
from semsplat.figures.pictures import Picture, grey_picture, lit, outlined, tinted
from semsplat.palette import ClassPalette

Channel = Literal["colours", "depth", "classes", "features", "relevancy", "selection"]
CHANNELS: tuple[Channel, ...] = get_args(Channel)
NEAREST, FARTHEST = 1.0, 99.0  # percentiles of depth that become the ends of its colours
REACH = 0.5
"""How far from 0.5 the colours of relevancy reach: all of it, in all pictures alike."""
CHOSEN = "#0077FF"


@dataclass(eq=False)
class Shown:
    """A field, and what is asked of it."""

    field: Field
    prompt: str = ""
    selection: Selection | None = None

    @cached_property
    def class_palette(self) -> ClassPalette:
        """The colours of classes; remembers which were drawn."""
        return ClassPalette(self.field.class_names)

    @cached_property
    def feature_palette(self) -> Palette:
        """The colours of features, the same in all pictures."""
        return Palette(self.field.known.field.semantics)

    @property
    def channels(self) -> list[Channel]:
        """What it can show."""
        answers = self.field.answers
        can = {
            "colours": True,
            "depth": True,
            "classes": "classes" in answers,
            "features": self.field.method is not None,
            "relevancy": "relevancy" in answers,
            "selection": "text" in answers or "click" in answers,
        }
        return [channel for channel in CHANNELS if can[channel]]

    def picture(self, camera: Viewpoint, channel: Channel) -> Picture:
        """Return what a channel shows of a camera, uint8 [H, W, 3].

        Raises:
            SemsplatError: the field cannot show it, or nothing was asked or selected yet.
        """
        self.check(channel)
        drawn: Picture = getattr(self, f"_{channel}")(camera)
        return drawn

    def check(self, channel: Channel) -> None:
        """Raise where the field cannot show a channel, or nothing was asked or selected yet."""
        if channel not in self.channels:
            can = ", ".join(self.channels)
            raise SemsplatError(f"{self.field.path}: cannot show {channel}; it can show {can}")
        if channel == "relevancy" and not self.prompt:
            raise SemsplatError("relevancy: of what? ask for something")
        if channel == "selection" and self.selection is None:
            raise SemsplatError("selection: nothing is selected; click, or ask for something")

    def _colours(self, camera: Viewpoint) -> Picture:
        return self.field.colours(camera)

    def _depth(self, camera: Viewpoint) -> Picture:
        """Near is bright; black where nothing is drawn."""
        depth = self.field.depth(camera)
        drawn = depth > 0
        if not drawn.any():
            return np.zeros((*depth.shape, 3), np.uint8)
        near, far = np.percentile(depth[drawn], [NEAREST, FARTHEST])
        share = (far - depth) / max(far - near, np.finfo(np.float32).tiny)
        return np.where(drawn[..., None], _mapped("viridis", share), np.uint8(0))

    def _classes(self, camera: Viewpoint) -> Picture:
        return self.class_palette.picture(self.field.classes(camera))

    def _features(self, camera: Viewpoint) -> Picture:
        """The three principal axes of all Gaussians' features; white where nothing is drawn."""
        blended = ClickableField(self.field.known.field).blended(camera)
        return self.feature_palette.picture(*blended)

    def _relevancy(self, camera: Viewpoint) -> Picture:
        """A grey picture, tinted with the relevancy of the prompt: white is 0.5."""
        (relevancy,) = self.field.relevancy(camera, [self.prompt])
        return tinted(grey_picture(self.field.colours(camera)), relevancy, REACH)

    def _selection(self, camera: Viewpoint) -> Picture:
        """The picture, pale outside the selected object."""
        assert self.selection is not None
        colours, mask = self.field.colours(camera), self.selection.mask(camera)
        return outlined(lit(colours, mask), mask, CHOSEN)


def split(first: Picture, second: Picture, share: float) -> Picture:
    """Return the first picture left of a share of the width, the second right of it."""
    column = round(share * first.shape[1])
    both = np.concatenate([first[:, :column], second[:, column:]], axis=1)
    both[:, max(column - 1, 0) : column + 1] = 255
    return both


def legend(shown: Sequence[Shown]) -> list[tuple[str, str]]:
    """Return (name, colour as #RRGGBB) of the classes that were drawn so far."""
    entries: dict[str, NDArray[np.float64]] = {}
    for one in shown:
        entries |= dict(one.class_palette.legend())
    return [
        (name, "#" + "".join(f"{round(255 * part):02X}" for part in colour))
        for name, colour in entries.items()
    ]


def _mapped(name: str, values: NDArray[np.floating]) -> Picture:
    """Return numbers in [0, 1] in the colours of a map of matplotlib's."""
    coloured: Picture = (colormaps[name](values.clip(0, 1))[..., :3] * 255).round().astype(np.uint8)
    return coloured
