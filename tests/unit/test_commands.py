"""Every command that writes a folder refuses one that it did not make, before it does anything."""

from __future__ import annotations

import errno
import inspect
import os
from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

import semsplat
from semsplat import cli
from semsplat.cli import material, project, trained
from semsplat.commands import checked, out_folders, places_are_told
from semsplat.errors import SemsplatError

ONE_FILE = {
    "semsplat.cli.trained": {"export"},
    "semsplat.bench.__main__": {"rasterize", "contrast", "features", "gpu"},
    "semsplat.evaluate.__main__": {"score", "score_features", "speed", "collect"},
    "semsplat.figures.__main__": {"run"},
    "semsplat.figures.page.__main__": {"run"},
    "semsplat.geometry.__main__": {"reconstruct"},
    "semsplat.networks.__main__": {"draw", "quality", "tune_sam"},
}
"""Commands whose ``out`` is a file, written at once or not at all, and what a command calls."""


def commands() -> Iterator[tuple[str, Callable[..., Any]]]:
    """Yield all functions that are or may be commands, each with the name of its module."""
    package = Path(semsplat.__file__).parent
    modules = [
        ".".join(("semsplat", *path.relative_to(package).with_suffix("").parts))
        for path in sorted(package.rglob("__main__.py"))
    ]
    for module in [*map(import_module, modules), material, project, trained]:
        for function in vars(module).values():
            name = getattr(function, "__name__", "_")
            public = inspect.isfunction(function) and not name.startswith("_")
            if public and function.__module__ == module.__name__:
                yield module.__name__, function


WRITERS = [command for _, command in commands() if out_folders(command)]


def test_every_out_is_known_to_be_a_folder_or_a_file() -> None:
    files: dict[str, set[str]] = {}
    for module, command in commands():
        if "out" in inspect.signature(command).parameters and not out_folders(command):
            files.setdefault(module, set()).add(command.__name__)
    assert files == ONE_FILE and len(WRITERS) == 14


@pytest.mark.parametrize("command", WRITERS, ids=lambda c: f"{c.__module__}.{c.__name__}")
def test_a_folder_of_others_is_refused(command: Callable[..., Any], tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").write_text("years of work")
    told = {name: None for name in inspect.signature(command).parameters}
    place = out_folders(command)[0]
    told |= {place: tmp_path} if place in told else {"job": SimpleNamespace(out=tmp_path)}
    with pytest.raises(SemsplatError, match="has 'thesis\\.tex', which semsplat"):
        checked(command)(*told.values())
    assert [path.read_text() for path in tmp_path.iterdir()] == ["years of work"]


def test_select_checks_its_target_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
                                        capsys: pytest.CaptureFixture[str]) -> None:  # fmt: skip
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine/thesis.tex").touch()
    words = ["semsplat", "select", "nowhere", str(tmp_path / "mine"), "--click"]
    for clicks, why in ((["a=b:1,1"], "has 'thesis.tex'"),):
        monkeypatch.setattr("sys.argv", [*words, *clicks])
        with pytest.raises(SystemExit):
            cli.main()
        error = capsys.readouterr().err
        assert error.startswith("error: ") and error.count("\n") == 1 and why in error


def test_a_target_where_nothing_can_be_written_is_refused_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_text("years of work")
    out = tmp_path / "file/below/deep"
    monkeypatch.setattr(
        "sys.argv", ["semsplat", "select", "nowhere", str(out), "--click", "a=b:1,1"]
    )
    with pytest.raises(SystemExit):
        cli.main()
    error = capsys.readouterr().err
    assert error.count("\n") == 1 and f"nothing can be written in {tmp_path / 'file'};" in error
    assert (tmp_path / "file").read_text() == "years of work"


@pytest.mark.parametrize("number", [errno.EACCES, errno.EROFS, errno.ENAMETOOLONG])
def test_what_the_system_refuses_is_one_line(number: int) -> None:
    with pytest.raises(SemsplatError, match=r"a/b: .*; name another place"), places_are_told():
        raise OSError(number, os.strerror(number), "a/b")
    for bug in (OSError(errno.ENOENT, "none", "a/b"), OSError(number, "of no file")):
        with pytest.raises(OSError), places_are_told():
            raise bug
