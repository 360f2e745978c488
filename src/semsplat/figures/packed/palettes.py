"""Colours of what is shown, the same as in the suite's pictures."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from semsplat.data.scene import Scene
from semsplat.figures.class_maps import class_names
from semsplat.figures.packed.channels import Channel
from semsplat.figures.packed.shapes import steps
from semsplat.figures.pictures import RELEVANCY_COLOURS

ROWS = 256


def known_classes(scene: Scene) -> dict[int, str]:
    """Return {class id: name} of a scene; nothing of one that knows no classes, as photographs."""
    return class_names(scene) if (scene.scene_dir / "semantics.json").exists() else {}


class Palettes:
    """The palettes of a scene's channels, and every value as a row of its own.

    One scale of relevancy, from 0 to 1, serves all that is asked of any training.
    """

    def __init__(self, scene: Scene) -> None:
        """Take the names of a scene's classes; 0 is none of them."""
        self._names = {0: "no label", **known_classes(scene)}

    def rows(self, channel: Channel) -> NDArray[np.uint8]:
        """Return a channel's values as bytes: rows of its palette, colours, or 0 and 1."""
        values = channel.values
        if channel.kind == "relevancy":
            values = steps(values, 0.0, 1.0, ROWS - 1)
        if channel.kind == "classes":
            ids = np.array(sorted(self._names))
            order = np.array([list(self._names).index(class_id) for class_id in ids])
            values = order[np.searchsorted(ids, values)]
        return values.astype(np.uint8)

    def told(self) -> dict[str, Any]:
        """Return ``palettes`` of the file."""
        from matplotlib import colormaps

        from semsplat.palette import ClassPalette

        palette = ClassPalette({i: name for i, name in self._names.items() if i})
        scale = colormaps[RELEVANCY_COLOURS](np.linspace(0, 1, ROWS))[:, :3]
        return {
            "classes": {
                "colours": [palette.colour(i).tolist() for i in self._names],
                "names": list(self._names.values()),
            },
            "relevancy": {
                "colours": (scale * 255).round().astype(int).tolist(),
                "low": 0.0,
                "high": 1.0,
            },
        }
