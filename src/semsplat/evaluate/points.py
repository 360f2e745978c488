"""What Gaussians are said to be, on disk (``predictions/gaussians.npz``), and at given points.

``means`` float32 [N, 3], stored coordinates; ``opacities`` float32 [N] in [0, 1]; ``classes.`` with
the name of a class list (`semsplat.data.labelled_points`) uint16 [N]: the class of every Gaussian
by itself among those of the list, 0 = none.
"""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from semsplat.arrays import read_arrays, write_arrays
from semsplat.data.labelled_points import ClassLists
from semsplat.errors import SemsplatError
from semsplat.evaluate.confusion import Labels, check_known

GAUSSIANS = "gaussians.npz"
PREFIX = "classes."
SAME_PLACE = 1e-5
"""How far a Gaussian may be from its point, of the points' extent: what single precision keeps."""


class Said(NamedTuple):
    """Gaussians, and what each is."""

    means: NDArray[np.float32]  # [N, 3]
    opacities: NDArray[np.float32]  # [N]
    classes: dict[str, NDArray[np.uint16]]  # {class list: [N]}


def write_said(folder: Path, said: Said) -> None:
    """Write `GAUSSIANS` into a predictions folder."""
    classes = {f"{PREFIX}{name}": ids for name, ids in said.classes.items()}
    arrays = {"means": said.means, "opacities": said.opacities, **classes}
    write_arrays(folder / GAUSSIANS, arrays)


def read_said(folder: Path, lists: ClassLists) -> Said | None:
    """Return what a predictions folder says of Gaussians, or None where it says nothing.

    Raises a one-line `SemsplatError` for a file that is broken, whose arrays do not fit, or that
    lacks one of the lists or names other classes.
    """
    path = folder / GAUSSIANS
    if not path.is_file():
        return None
    arrays = read_arrays(path)
    if not {"means", "opacities"} <= set(arrays):
        raise SemsplatError(f"{path}: needs 'means' and 'opacities'; predict again")
    classes = {k.removeprefix(PREFIX): v for k, v in arrays.items() if k.startswith(PREFIX)}
    said = Said(arrays["means"], arrays["opacities"], classes)
    number = len(said.opacities)
    if said.means.shape != (number, 3) or any(one.shape != (number,) for one in classes.values()):
        raise SemsplatError(f"{path}: arrays are not of the same Gaussians; predict again")
    for name, known in lists.items():
        if name not in classes:
            raise SemsplatError(f"{path}: no '{PREFIX}{name}'; predict again")
        check_known(classes[name].astype(np.int32), np.array(list(known)), f"{path}: {name}")
    return said


class Places(NamedTuple):
    """Which Gaussians are at points."""

    gaussians: NDArray[np.intp]  # [P], -1 = none
    counts: NDArray[np.bool_]  # [P], whether the point counts


class Whereabouts:
    """Gaussians whose opacity is ``least`` or more, by where they are."""

    def __init__(self, said: Said, least: float) -> None:
        """Tell them from those that say nothing."""
        self.said, self.opaque = said, said.opacities >= least

    @cached_property
    def _tree(self) -> Any:
        from scipy.spatial import cKDTree

        return cKDTree(self.said.means[self.opaque])

    def at(self, points: NDArray[np.float64]) -> Places:
        """Return the Gaussian of every point [P, 3].

        Where Gaussians sit on the points one to one each point has its own, and counts unless that
        is too transparent; else all count, and each has the nearest that is not.
        """
        if one_to_one(self.said.means, points):
            return Places(np.arange(len(points)), self.opaque)
        every = np.ones(len(points), bool)
        if not self.opaque.any():
            return Places(np.full(len(points), -1), every)
        return Places(np.flatnonzero(self.opaque)[self._tree.query(points)[1]], every)


def one_to_one(means: NDArray[np.float32], points: NDArray[np.float64]) -> bool:
    """Tell whether Gaussian i sits on point i, for all i."""
    if means.shape != points.shape:
        return False
    extent = np.ptp(points, axis=0).max(initial=0.0)
    return bool((np.abs(means - points) <= SAME_PLACE * extent).all())


def labels_at(ids: NDArray[np.uint16], found: Places) -> Labels:
    """Return the classes int32 [P] at points, of the Gaussians' [N]; 0 where there is none."""
    labels, there = np.zeros(len(found.gaussians), np.int32), found.gaussians >= 0
    labels[there] = ids[found.gaussians[there]]
    return labels
