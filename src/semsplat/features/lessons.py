"""Lessons on disk: what a teacher says about each view, read one view at a time.

A teacher's labels are what the papers call pseudo-labels; a lesson has regions and tracks beside
them, by which methods mend them.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from semsplat.arrays import read_arrays, write_arrays
from semsplat.features.teachers import Ids, Lesson
from semsplat.io import read_json


def write_lesson(folder: Path, name: str, lesson: Lesson) -> None:
    """Write one view's lesson; equal content gives equal bytes."""
    arrays = {key: value for key, value in vars(lesson).items() if value is not None}
    write_arrays(folder / "views" / f"{name}.npz", arrays)


@dataclass(frozen=True)
class Lessons:
    """The lessons of a scene, opened but not loaded."""

    folder: Path
    manifest: dict[str, Any]

    @property
    def class_ids(self) -> list[int]:
        """The scene's id of each class; label i stands for entry i - 1."""
        return [entry["id"] for entry in self.manifest["classes"]]

    @property
    def names(self) -> list[str]:
        """The names of the views, in alphabetical order."""
        files = [Path(file) for file in self.manifest["files"]]
        views = [file.relative_to("views") for file in files if file.parts[0] == "views"]
        return sorted(view.with_suffix("").as_posix() for view in views)

    def view(self, name: str) -> Lesson:
        """Return the lesson of the view of this name."""
        return Lesson(**read_arrays(self.folder / "views" / f"{name}.npz"))

    def array(self, name: str, which: str) -> Ids:
        """Return one array of a view's lesson; the rest of its archive stays unread."""
        arrays = read_arrays(self.folder / "views" / f"{name}.npz", only=(which,))
        return arrays[which]


def open_lessons(folder: Path) -> Lessons:
    """Return the lessons in ``results/lessons/{dataset}/{scene}/{teacher}/{seed}``."""
    return Lessons(folder, read_json(folder / "manifest.json"))
