"""ScanNet's raw labels as the classes of NYU40, by the table of the release."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from semsplat.conventions import NO_ID
from semsplat.data.images import MAX_ID, Size, read_ids
from semsplat.errors import SemsplatError
from semsplat.io import read_lines

RAW, CLASS, NAME = "id", "nyu40id", "nyu40class"


@dataclass(frozen=True, eq=False)
class LabelTable:
    """What ``scannetv2-labels.combined.tsv`` says."""

    path: Path
    classes: NDArray[np.int32]  # [65536] NYU40 id of every raw id, 0 = void, -1 = not listed
    names: dict[int, str]  # of the NYU40 ids, as the table spells them

    def read(self, path: Path, size: Size) -> NDArray[np.int32]:
        """Return a picture of raw ids as NYU40 ids int32 [H, W], 0 = void.

        Raises a `SemsplatError` when it is unreadable, of another size, or has an id that the
        table does not list: taken as void it would drop out of the scores unnoticed.
        """
        raw = read_ids(path, size)
        ids = self.classes[raw]
        if (ids == NO_ID).any():
            raise SemsplatError(
                f"{path}: raw label {raw[ids == NO_ID].min()} is not in {self.path.name};"
                " use the table of the release or add a line"
            )
        return ids


def read_label_table(path: Path) -> LabelTable:
    """Return the table; raise a `SemsplatError` when it is missing, broken or says two things.

    Raw label 0 is no label, and rows without a NYU40 id are void too.
    """
    classes = np.full(MAX_ID + 1, NO_ID, np.int32)
    classes[0] = 0
    names: dict[int, str] = {}
    for number, row in enumerate(_rows(path), start=2):
        try:
            raw, label = int(row[RAW]), int(row[CLASS] or 0)
            earlier = classes[raw], names.get(label, row[NAME])
        except (TypeError, ValueError, IndexError):
            raise SemsplatError(
                f"{path}: line {number}: '{RAW}' and '{CLASS}' must be ids"
            ) from None
        if earlier[0] not in (NO_ID, label) or earlier[1] != row[NAME]:
            raise SemsplatError(f"{path}: line {number} contradicts an earlier one; remove one")
        classes[raw] = label
        if label:
            names[label] = row[NAME]
    return LabelTable(path, classes, names)


def _rows(path: Path) -> list[dict[str, str]]:
    """Return the rows by column; raise where a column is missing."""
    lines = read_lines(path, "it comes with ScanNet's labels")
    # Inches are written " in names of things, so that this sign quotes nothing.
    reader = csv.DictReader(lines, delimiter="\t", quoting=csv.QUOTE_NONE)
    missing = {RAW, CLASS, NAME} - set(reader.fieldnames or ())
    if missing:
        raise SemsplatError(
            f"{path}: no column '{min(missing)}'; use scannetv2-labels.combined.tsv, not the first"
            " version's table"
        )
    return list(reader)
