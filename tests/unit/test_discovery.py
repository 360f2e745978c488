"""Kinds are found by their files: without imports, and an unknown one is a line with a hint."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from semsplat.discovery import kinds_of
from semsplat.errors import SemsplatError


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Yield a package of two kinds, a helper, a folder and a file that is no module."""
    folder = tmp_path / "zoo"
    (folder / "cage").mkdir(parents=True)
    for name in ("__init__", "zebra", "ape", "keeper", "cage/__init__"):
        (folder / f"{name}.py").write_text(f"NAME = {name!r}\n")
    (folder / "prices.yaml").touch()
    monkeypatch.syspath_prepend(str(tmp_path))
    __import__("zoo")
    yield "zoo"
    for name in [name for name in sys.modules if name.split(".")[0] == "zoo"]:
        del sys.modules[name]


def test_listing_imports_nothing(package: str) -> None:
    names, _ = kinds_of(package, "animal", ("NAME",), ("keeper",))
    assert names() == ["ape", "zebra"]
    assert not {"zoo.ape", "zoo.zebra", "zoo.cage"} & sys.modules.keys()


def test_a_module_by_name(package: str) -> None:
    _, module = kinds_of(package, "animal", ("NAME",), ("keeper",))
    assert module("zebra").NAME == "zebra"


def test_a_part_or_another_in_its_place_is_enough(package: str) -> None:
    _, module = kinds_of(package, "animal", ("CAGE or NAME",))
    assert module("zebra").NAME == "zebra"
    _, module = kinds_of(package, "animal", ("NAME", "CAGE or FIELD", "NAME or FIELD"))
    with pytest.raises(SemsplatError, match=r"zebra\.py: a animal without CAGE or FIELD$"):
        module("zebra")


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("zebr", "no animal 'zebr'; did you mean 'zebra'?"),
        ("whale", "no animal 'whale'; known: ape, zebra"),
        ("keeper", "no animal 'keeper'; known: ape, zebra"),
        ("cage", "no animal 'cage'; known: ape, zebra"),
    ],
)
def test_an_unknown_one_is_a_line(package: str, name: str, said: str) -> None:
    _, module = kinds_of(package, "animal", ("NAME",), ("keeper",))
    with pytest.raises(SemsplatError) as caught:
        module(name)
    assert str(caught.value) == said


def test_a_new_file_is_a_new_kind(package: str) -> None:
    names, module = kinds_of(package, "animal", ("NAME",))
    Path(sys.modules[package].__path__[0], "yak.py").write_text("NAME = 'yak'\n")
    assert "yak" in names() and module("yak").NAME == "yak"
