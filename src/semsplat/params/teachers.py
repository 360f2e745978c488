"""Parameters of teachers: what methods learn from."""

from __future__ import annotations

from typing import Literal

from semsplat.params.base import Fraction, Kind, Strict


class Corruption(Strict):
    """Mistakes put into the labels on purpose, drawn anew for every seed."""

    kind: Literal["iid", "view_correlated"]
    """iid: a region of a view is mistaken or not; view_correlated: an object is mistaken for one
    other class over a contiguous run of the views that show it"""
    share: Fraction
    """iid: probability per region; view_correlated: length of the run, in views that show it"""


class Teacher(Strict):
    """A label map and regions for every view, and tracks through the training views."""

    labels: Kind
    """a file in src/semsplat/features/teachers"""
    corruption: Corruption | None
    """mistakes put in on purpose; null for none"""
    tracks: Kind
    """a file in src/semsplat/features/tracks"""


class LessonsJob(Strict):
    """Everything one teacher is told."""

    dataset: str
    scene: str
    name: str
    seed: int
    run_seed: int
    """of all random numbers"""
    teacher: Teacher
