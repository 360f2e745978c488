"""What the register says about a file, and where the file belongs on this machine."""

from __future__ import annotations

from functools import cache
from pathlib import Path, PurePosixPath
from typing import Annotated, Literal, Self

from pydantic import Field, TypeAdapter, model_validator

from semsplat.errors import SemsplatError, did_you_mean
from semsplat.io import parse_yaml
from semsplat.params.base import Sha256, Strict
from semsplat.paths import hub_dir

FOLDER = Path(__file__).parent
RECEIPTS = Path("downloads/receipts")
TORCH_HUB = "torch_hub"
"""Stands for torch hub's folder at the beginning of a path."""

Url = Annotated[str, Field(pattern=r"^https?://[^\s/]+/\S+$")]


class Entry(Strict):
    """One file that comes from elsewhere; null is what nobody has published."""

    kind: Literal["data", "model"]
    """what it is"""
    of: str
    """data set or model that it belongs to"""
    about: str
    """what is in it"""
    scenes: list[str]
    """scenes of the data set that need it; empty for models"""
    urls: list[Url]
    """where it is fetched, first to last; empty: never fetched"""
    size_bytes: Annotated[int, Field(ge=1)] | None
    """of the file"""
    sha256: Sha256 | None
    """of the file"""
    sha256_start: str | None = Field(pattern=r"^[0-9a-f]{8}$")
    """the first digits where no more is published: file names of torch hub carry them"""
    licence: str | None
    """what may be done with it"""
    terms: str | None
    """what a person must accept, and whom to ask; such files are never fetched"""
    manual: str | None
    """why it has no direct address; such files are never fetched"""
    link: Url | None
    """page where a person gets it"""
    path: str | None
    """the file's place; null: what a person gets is a folder"""
    folder: str | None
    """where an archive is unpacked, or the folder is put; null: the file is used as it is"""

    @model_validator(mode="after")
    def _is_fetched_or_says_why_not(self) -> Self:
        """Refuse addresses of what needs a person, and entries without either."""
        if bool(self.urls) == bool(self.terms or self.manual):
            raise ValueError("either 'urls', or 'terms' or 'manual' that say why there are none")
        if self.urls and self.path is None:
            raise ValueError("'urls' needs 'path', the place of the file")
        if self.urls and not (self.sha256 or self.sha256_start or self.size_bytes):
            raise ValueError("'urls' needs a hash or a size: else nothing tells a page from a file")
        return self

    @model_validator(mode="after")
    def _stays_in_its_places(self) -> Self:
        """Refuse entries without a place, and places elsewhere."""
        places = [place for place in (self.path, self.folder) if place is not None]
        if not places:
            raise ValueError("one of 'path' and 'folder' must say where it is put")
        for place in map(PurePosixPath, places):
            if ".." in place.parts or place.parts[0] not in ("downloads", "photos", TORCH_HUB):
                raise ValueError(f"'{place}' is neither below downloads/, photos/ nor {TORCH_HUB}/")
        return self


@cache
def entries() -> dict[str, Entry]:
    """Return all entries by name, data first."""
    by_name: dict[str, Entry] = {}
    for name in ("data", "models"):
        text = (FOLDER / f"{name}.yaml").read_text(encoding="utf-8")
        by_name |= TypeAdapter(dict[str, Entry]).validate_python(parse_yaml(text))
    return by_name


def entry_named(name: str) -> Entry:
    """Return the entry of a name; an unknown one is a one-line error."""
    if name not in entries():
        hint = did_you_mean(name, list(entries()))
        raise SemsplatError(f"the register has no '{name}'{hint}")
    return entries()[name]


def file_of(entry: Entry) -> Path | None:
    """Return the place of an entry's file, None if what a person gets is a folder."""
    if entry.path is None:
        return None
    first, _, rest = entry.path.partition("/")
    return hub_dir() / rest if first == TORCH_HUB else Path(entry.path)


def receipt_of(name: str) -> Path:
    """Return the receipt of a checked file."""
    return RECEIPTS / f"{name}.json"


def unpacked_receipt_of(name: str) -> Path:
    """Return the receipt of an unpacked archive."""
    return RECEIPTS / f"{name}.unpacked.json"


def entry_of(place: Path) -> str | None:
    """Return the name of the file at ``place``, or of what is put there or above, if it has one."""
    for name, entry in entries().items():
        if place == file_of(entry):
            return name
    for name, entry in entries().items():
        if entry.folder and place.is_relative_to(entry.folder):
            return name
    return None


def place_of(entry: Entry) -> Path:
    """Return where an entry is used: its folder, or its file."""
    place = entry.folder or file_of(entry)
    assert place is not None  # the model of entries demands one
    return Path(place)


def how_to_get(name: str) -> str:
    """Say in one line how a missing file is had."""
    entry = entry_named(name)
    if entry.urls:
        return f"semsplat data fetch {name}"
    reasons = [text for text in (entry.terms, entry.manual) if text]
    link = f" ({entry.link})" if entry.link else ""
    places = [p for p in (file_of(entry), entry.folder and f"{entry.folder}/") if p]
    where = ", or unpacked at ".join(map(str, places))
    return f"get it yourself{link} and put it at {where}: {'; '.join(reasons)}"
