"""Colours of classes, and of things without names: regions, instances, clusters."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL.ImageColor import getrgb

# Chosen by a search for the largest smallest distance in CIELAB, seen normally (32), with
# protanopia and with deuteranopia (21); kept off white and the grey of void.
CLASS_COLOURS = (
    *("#EEAA77", "#EECCFF", "#992200", "#88FFBB", "#889900", "#0088FF", "#EE3388"),
    *("#006655", "#FFBB22", "#5533AA", "#EEEE77", "#CC77CC", "#777744", "#444488"),
)
VOID_COLOUR = "#404040"
GOLDEN_RATIO = 0.618034  # hues at this step stay apart, however many there are


def region_colours(count: int) -> NDArray[np.uint8]:
    """Return distinct colours uint8 [count, 3]; neighbours in number differ most."""
    from matplotlib.colors import hsv_to_rgb  # whoever plans asks for names of kinds alone

    number = np.arange(count)
    saturation, value = 0.6 + 0.3 * (number % 2), 1.0 - 0.2 * (number % 3)
    hsv = np.stack([number * GOLDEN_RATIO % 1, saturation, value], axis=-1)
    return (hsv_to_rgb(hsv) * 255).round().astype(np.uint8)


class ClassPalette:
    """Colours of a scene's classes; remembers which it has used.

    A data set of few classes has the same colours in all its scenes, whichever a scene shows; of
    one with many, each scene's classes are numbered.
    """

    def __init__(self, names: dict[int, str]) -> None:
        """Take {class id: name}; other ids are drawn white, 0 is void."""
        self._names = {**names, 0: "no label"}
        few = max(names, default=0) <= len(CLASS_COLOURS)
        self._order = {i: i - 1 if few else place for place, i in enumerate(names)}
        self._further = region_colours(len(names))
        self._used: set[int] = set()

    def colour(self, class_id: int) -> NDArray[np.uint8]:
        """Return the colour of a class id, uint8 [3]."""
        place = self._order.get(class_id)
        if place is not None and place >= len(CLASS_COLOURS):
            return self._further[place]
        name = "white" if place is None else CLASS_COLOURS[place]
        return np.array(getrgb(VOID_COLOUR if class_id == 0 else name), np.uint8)

    def picture(self, ids: NDArray[np.integer]) -> NDArray[np.uint8]:
        """Return a map of class ids [H, W] in colours, uint8 [H, W, 3]."""
        present, place = np.unique(ids, return_inverse=True)
        self._used |= set(present.tolist())
        return np.stack([self.colour(class_id) for class_id in present.tolist()])[place]

    def legend(self) -> list[tuple[str, NDArray[np.float64]]]:
        """Return (name, colour) of the classes drawn so far, in the order of the names."""
        used = sorted(
            self._used, key=lambda i: (i == 0, i not in self._order, self._order.get(i, i))
        )
        return [(self._names.get(i, f"class {i}"), self.colour(i) / 255) for i in used]
