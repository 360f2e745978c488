"""Files appear whole or not at all; equal data gives equal text."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from semsplat.errors import SemsplatError
from semsplat.io import (
    atomic_path,
    canonical_json,
    read_json,
    sha256_file,
    sha256_text,
    write_json,
)

ENDINGS = [ValueError, KeyboardInterrupt, SystemExit]
ABC = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"  # FIPS 180-2, appendix B.1


def test_a_file_appears_when_it_is_complete(tmp_path: Path) -> None:
    path = tmp_path / "new" / "a.png"
    with atomic_path(path) as partial:
        partial.write_text("half")
        assert not path.exists()
        partial.write_text("whole")
    assert path.read_text() == "whole" and list(path.parent.iterdir()) == [path]


@pytest.mark.parametrize("name", ["a.png", "a.b.svg", "point_cloud.ply"])
def test_a_partial_file_keeps_the_suffix_and_is_hidden(tmp_path: Path, name: str) -> None:
    with atomic_path(tmp_path / name) as partial:
        assert partial.suffix == Path(name).suffix and partial.parent == tmp_path
        assert partial.name.startswith(".") and partial.name != name
        partial.touch()


@pytest.mark.parametrize("ending", ENDINGS)
def test_a_failed_write_leaves_the_old_file(tmp_path: Path, ending: type[BaseException]) -> None:
    path = tmp_path / "a.txt"
    for before in (None, "old"):
        if before:
            path.write_text(before)
        with pytest.raises(ending), atomic_path(path) as partial:
            partial.write_text("new")
            raise ending
        assert [p.read_text() for p in tmp_path.iterdir()] == [t for t in [before] if t]


def test_a_file_replaces_the_old_one(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("a longer text than the new one")
    with atomic_path(path) as partial:
        partial.write_text("new")
    assert path.read_text() == "new" and list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("value", [float("nan"), float("inf"), {"a": [float("-inf")]}, {1, 2}])
def test_what_json_cannot_hold_is_refused_and_the_old_file_stays(
    tmp_path: Path, value: Any
) -> None:
    path = tmp_path / "a.json"
    write_json(path, {"psnr": 1})
    with pytest.raises((ValueError, TypeError)):
        write_json(path, value)
    assert read_json(path) == {"psnr": 1} and list(tmp_path.iterdir()) == [path]


def test_a_missing_or_broken_json_file_is_one_line(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    with pytest.raises(SemsplatError, match=r"a\.json: no such file"):
        read_json(path)
    for content in (b'{"a": ', b"", b"\xff\xfe"):
        path.write_bytes(content)
        with pytest.raises(SemsplatError, match=r"a\.json: not valid JSON") as error:
            read_json(path)
        assert "\n" not in str(error.value)


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)  # fmt: skip


def shuffled(value: Any, rng: random.Random) -> Any:
    """Return equal data with keys inserted in another order."""
    if isinstance(value, dict):
        items = [(key, shuffled(inner, rng)) for key, inner in value.items()]
        return dict(rng.sample(items, len(items)))
    return [shuffled(inner, rng) for inner in value] if isinstance(value, list) else value


@given(value=values, seed=st.integers(0, 9))
def test_canonical_json_depends_on_the_data_and_not_on_its_order(value: Any, seed: int) -> None:
    text = canonical_json(value)
    assert canonical_json(shuffled(value, random.Random(seed))) == text
    assert json.loads(text) == value and "\n" not in text


def test_canonical_json_and_hashes_are_pinned(tmp_path: Path) -> None:
    assert canonical_json({"b": [1, 2.5], "a": None}) == '{"a":null,"b":[1,2.5]}'
    (tmp_path / "abc").write_text("abc")
    assert sha256_text("abc") == sha256_file(tmp_path / "abc") == ABC
    (tmp_path / "empty").touch()
    assert sha256_file(tmp_path / "empty") == sha256_text("") != ABC
