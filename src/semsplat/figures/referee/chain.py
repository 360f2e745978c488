"""From a training back to its photographs: the cards of everything that it was made from."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

from semsplat.io import read_json, sha256_file

SOURCES = {"lessons": "manifest.json", "features": "manifest.json", "geometry": "point_cloud.ply"}
"""What a result can be made from besides its scene, and the file whose digest its card holds."""


class Link(NamedTuple):
    """One result that a training was made from, or the training itself."""

    kind: str  # train, lessons, features, geometry
    folder: Path
    card: Any


def chain(folder: Path, kind: str = "train") -> list[Link]:
    """Return a result and all that it was made from, each once, the result first."""
    links: dict[Path, Link] = {}
    _follow(kind, folder, links)
    return list(links.values())


def _follow(kind: str, folder: Path, links: dict[Path, Link]) -> None:
    """Add a result and then what its card names."""
    if folder in links:
        return
    card = read_json(folder / "run.json")
    links[folder] = Link(kind, folder, card)
    for source, place in sources(card).items():
        _follow(source, place, links)


def sources(card: Any) -> dict[str, Path]:
    """Return the folders that a card's command names, by kind."""
    words = card["command"]
    flags = {f"--{kind}": kind for kind in SOURCES}
    return {flags[word]: Path(value) for word, value in pairwise(words) if word in flags}


def changed(link: Link) -> Iterator[str]:
    """Name the inputs that are no longer as the card says, by their digests."""
    places = {kind: folder / SOURCES[kind] for kind, folder in sources(link.card).items()} | {
        "scene": scene_of(link.card) / "manifest.json"
    }
    for name, digest in link.card["inputs"].items():
        path = places.get(name)
        if path is not None and not is_still(path, digest):
            yield f"{path} is not what {link.folder}/run.json was made from"


def is_still(path: Path, digest: str) -> bool:
    """Tell whether a file is there with the content that was recorded."""
    return path.is_file() and sha256_file(path) == digest


def scene_of(card: Any) -> Path:
    """Return the folder of a card's scene."""
    words = card["command"]
    return Path(words[words.index("--scene") + 1])
