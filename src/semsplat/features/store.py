"""Features on disk: small archives per view, read one view at a time.

::

    results/features/{dataset}/{scene}/{recipe}/{seed or all}/
        views/NAME.npz    ids, scores, vectors, dense, scales, dino, points, depth: `ViewFeatures`
        text.npz          one array of vectors per set of prompts
        manifest.json     layers, prompts, models by hash, sha256 of every file
        run.json          provenance card
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from semsplat.arrays import read_arrays, write_arrays
from semsplat.errors import SemsplatError
from semsplat.io import read_json

Half = NDArray[np.float16]


@dataclass(frozen=True, eq=False)
class ViewFeatures:
    """Everything computed for one view.

    ``ids`` int16 [L, H, W]: per layer the row of ``scores`` and ``vectors`` that a pixel belongs
    to, -1 for none; rows are never shared between layers.  ``scores`` float16 [M] in [0, 1].
    ``vectors`` float16 [M, D] of length 1, None if the recipe makes none.  ``dense`` float16
    [D, h, w] of length 1 per cell, covering the whole view, None if the recipe makes none.
    ``scales`` float16 [S, D, h, w], such maps of the recipe's single sizes of crops, None if it
    does not keep them apart.  ``dino`` float16 [C, h, w], DINO's on the same cells, None if the
    recipe makes none.
    ``points`` float32 [P, 2], pixels (x, y) at which the segmenter was asked, and ``depth`` float16
    [H, W], z in scene units, 0 where nothing is drawn, which they follow; None if they follow none.
    """

    ids: NDArray[np.int16]
    scores: Half
    vectors: Half | None = None
    dense: Half | None = None
    scales: Half | None = None
    dino: Half | None = None
    points: NDArray[np.float32] | None = None
    depth: Half | None = None


def write_view(path: Path, view: ViewFeatures) -> None:
    """Write one view; equal content gives equal bytes."""
    arrays = {k: v for k, v in vars(view).items() if v is not None}
    write_arrays(path, arrays)


@dataclass(frozen=True)
class SceneFeatures:
    """The features of a scene under one recipe, opened but not loaded."""

    folder: Path
    manifest: dict[str, Any]
    training: tuple[str, ...] = ()  # names of the views to learn from, where a training reads them

    @property
    def layers(self) -> list[str]:
        """The names of the id maps' layers."""
        return self.manifest["layers"]

    def view(self, name: str) -> ViewFeatures:
        """Return the features of the view of this name."""
        return ViewFeatures(**read_arrays(self.folder / "views" / f"{name}.npz"))

    def ids(self, name: str) -> NDArray[np.int16]:
        """Return a view's ids [L, H, W]; the rest of its archive stays unread."""
        return read_arrays(self.folder / "views" / f"{name}.npz", only=("ids",))["ids"]

    def dense(self, name: str) -> Half:
        """Return a view's dense map [D, h, w]; the rest of its archive stays unread.

        Raises:
            SemsplatError: the recipe makes no dense maps.
        """
        arrays = read_arrays(self.folder / "views" / f"{name}.npz", only=("dense",))
        if "dense" not in arrays:
            raise SemsplatError(f"{self.folder}: no dense maps; set value_maps or pyramid_maps")
        return arrays["dense"]

    def scales(self, name: str) -> tuple[Half, Half | None]:
        """Return a view's maps [S, D, h, w] of single sizes of crops, and DINO's if there is one.

        Raises:
            SemsplatError: the recipe does not keep its sizes apart.
        """
        arrays = read_arrays(self.folder / "views" / f"{name}.npz", only=("scales", "dino"))
        if "scales" not in arrays:
            raise SemsplatError(
                f"{self.folder}: no maps of single sizes of crops; set apart in the recipe"
            )
        return arrays["scales"], arrays.get("dino")

    def regions(self, name: str) -> tuple[NDArray[np.int16], Half]:
        """Return a view's ids [L, H, W] and vectors [M, D]; the rest of its archive stays unread.

        Raises:
            SemsplatError: the recipe makes no region vectors.
        """
        arrays = read_arrays(self.folder / "views" / f"{name}.npz", only=("ids", "vectors"))
        if "vectors" not in arrays:
            raise SemsplatError(f"{self.folder}: no region vectors; set region_vectors to true")
        return arrays["ids"], arrays["vectors"]

    def prompts(self, kind: str) -> list[str]:
        """Return the texts of a set of prompts: classes or canonical."""
        return self.manifest["prompts"][kind]

    def text_vectors(self, kind: str) -> NDArray[np.float32]:
        """Return float32 [P, D], length 1, one row per prompt of a set; raise for a set of none."""
        sets: dict[str, NDArray[np.float32]] = read_arrays(self.folder / "text.npz")
        if kind not in sets:
            raise SemsplatError(f"{self.folder}: no {kind} prompts; name some and extract again")
        return sets[kind]


def open_features(folder: Path, training: tuple[str, ...] = ()) -> SceneFeatures:
    """Return the features in ``results/features/{dataset}/{scene}/{recipe}/{seed or all}``."""
    return SceneFeatures(folder, read_json(folder / "manifest.json"), training)
