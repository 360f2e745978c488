"""What a person gave: files by view, the card, and what is missing or wrong, a line for each."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path, PurePosixPath
from types import ModuleType
from typing import Any, NamedTuple

import yaml
from pydantic import ValidationError

from semsplat.data.scene import Frame, Scene
from semsplat.errors import SemsplatError, did_you_mean, one_line, readable
from semsplat.io import parse_yaml
from semsplat.params.external import ExternalCard

CARD = "card.yaml"
LINK = "is or follows a link; put what it leads to in its place"
Files = dict[str, list[Path]]
"""{view: its files}"""
Layouts = dict[str, ModuleType]
"""{answer: its file in this folder}"""


class GivenError(SemsplatError):
    """All that is missing or wrong, one line each."""

    def __init__(self, lines: Sequence[str]) -> None:
        """Join the lines; `str` of the error is what the user reads."""
        super().__init__("\n".join(lines))


class Found(NamedTuple):
    """The files of one run."""

    files: dict[str, Files]  # by answer
    lines: list[str]  # what is missing, and what belongs nowhere


def run_folder(root: Path, dataset: str, scene: str, seed: int) -> Path:
    """Return where the predictions of one run are, below the folder of all."""
    return root / dataset / scene / str(seed)


def read_card(root: Path) -> ExternalCard:
    """Return the card of all predictions below ``root``.

    Raises:
        GivenError: no such file, no YAML, or a line for each key that is wrong.
    """
    path = root / CARD
    with readable(path, "a text", "write it as docs/external.md says"):
        text = path.read_text(encoding="utf-8")
    try:
        return ExternalCard.model_validate(parse_yaml(text))
    except yaml.YAMLError as error:
        raise GivenError([f"{path}: not valid YAML ({one_line(error)})"]) from None
    except ValidationError as error:
        raise GivenError([_told(path, mistake) for mistake in error.errors()]) from None


def _told(path: Path, mistake: Any) -> str:
    """Return the line for one of pydantic's errors."""
    where = ".".join(map(str, mistake["loc"])) or "the file"
    if where == "commit":
        return f"{path}: commit: write all 40 hexadecimal digits, in quotes"
    if mistake["type"] == "extra_forbidden":
        return f"{path}: {where}: unknown key{did_you_mean(where, list(ExternalCard.model_fields))}"
    return f"{path}: {where}: {mistake['msg'][0].lower()}{mistake['msg'][1:]}"


def only(paths: list[Path]) -> Path:
    """Return the one file of a view; raise where there are several."""
    if len(paths) > 1:
        raise SemsplatError(f"{paths[0]}: the view has {paths[1].name} as well; remove one")
    return paths[0]


def walk(folder: Path) -> Iterator[Path]:
    """Yield all files and links below a folder, sorted, but not what is hidden."""
    for place, folders, files in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        links = [name for name in folders if Path(place, name).is_symlink()]
        shown = [name for name in files if not name.startswith(".")]
        yield from (Path(place, name) for name in sorted([*shown, *links]))


def find(root: Path, run: Path, layouts: Layouts, scene: Scene) -> Found:
    """Return the files of a run by answer and view; nothing is opened.

    Args:
        root: the folder of all predictions; it may be a link, nothing below it may.
        run: of the run, below ``root``.
        layouts: of the answers that its predictions should have.
        scene: whose views they are of.
    """
    if not run.is_dir():
        return Found({}, [f"{run}: no such folder; put the run's predictions there"])
    if run.resolve() != root.resolve() / run.relative_to(root):
        return Found({}, [f"{run}: {LINK}"])
    views = {name: [f.name for f in layout.views(scene)] for name, layout in layouts.items()}
    files: dict[str, Files] = {name: {} for name in layouts}
    lines = []
    for path in walk(run):
        answer, *parts = path.relative_to(run).parts
        place = PurePosixPath(*parts)
        if wrong := LINK if path.is_symlink() else _why_not(answer, place, layouts, views):
            lines.append(f"{path}: {wrong}")
        else:
            files[answer].setdefault(layouts[answer].view_of(place), []).append(path)
    for answer, names in views.items():
        missing = [name for name in names if name not in files[answer]]
        lines += [f"{run / answer}: nothing for view '{name}'" for name in missing]
    return Found(files, lines)


def _why_not(
    answer: str, place: PurePosixPath, layouts: Layouts, views: dict[str, list[str]]
) -> str | None:
    """Return why a file, at a place below an answer's folder, belongs to no view, if so."""
    if answer not in layouts:
        return f"'{answer}' is not among its answers, {', '.join(layouts)}"
    suffixes = layouts[answer].SUFFIXES
    if place.suffix not in suffixes:
        return f"does not end in {' or '.join(suffixes)}"
    view = layouts[answer].view_of(place)
    if view not in views[answer]:
        return f"{answer} is asked of no view '{view}'{did_you_mean(view, views[answer])}"
    return None


def taken(
    found: Found, layouts: Layouts, scene: Scene, use: Callable[[ModuleType, Frame, Any], None]
) -> list[str]:
    """Read every view's files and hand what they say on; return a line for each that is wrong."""
    lines = []
    for answer, layout in layouts.items():
        for frame in _there(layout.views(scene), found.files.get(answer, {})):
            try:
                said = layout.read(found.files[answer][frame.name], frame, scene)
            except SemsplatError as error:
                lines.append(str(error))
            else:
                use(layout, frame, said)
    return lines


def _there(frames: Iterable[Frame], files: Files) -> Iterator[Frame]:
    return (frame for frame in frames if frame.name in files)
