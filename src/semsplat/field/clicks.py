"""Clicks as a person writes them, and how what they show may be called."""

from __future__ import annotations

import re

from semsplat.data.manifest import NAME as MANIFEST
from semsplat.errors import SemsplatError
from semsplat.evaluate.grounding import Place

CLICK = re.compile(r"(?P<name>[^=/\\\0]+)=(?P<view>.+):(?P<x>\d+),(?P<y>\d+)")
LONGEST_NAME = 255  # bytes, of most file systems


def parse_clicks(texts: list[str]) -> dict[str, Place]:
    """Return the places of clicks written NAME=VIEW:X,Y; raise for what is none."""
    if not texts:
        raise SemsplatError("no click; give --click NAME=VIEW:X,Y, as in frog=a_view:207,127")
    places: dict[str, Place] = {}
    for text in texts:
        match = CLICK.fullmatch(text)
        if match is None:
            raise SemsplatError(f"click '{text}': write NAME=VIEW:X,Y, as in frog=a_view:207,127")
        name = match["name"]
        check_folder_name(name, f"click '{text}'")
        if name in places:
            raise SemsplatError(f"click '{text}': '{name}' is clicked twice; choose another name")
        places[name] = Place(match["view"], (int(match["x"]), int(match["y"])))
    return places


def check_folder_name(name: str, where: str) -> None:
    """Raise, with ``where`` first, unless a folder of results can be called like an object."""
    strange = {"/", "\0"} & set(name)
    if strange or name.startswith(".") or name == MANIFEST or len(name.encode()) > LONGEST_NAME:
        raise SemsplatError(f"{where}: '{name[:40]}' cannot be a folder's name")
